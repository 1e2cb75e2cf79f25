"""Frames keep the shape of their clips, whatever size a model wants."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from hpvqa.record.fitting import BAR, Size, inner_size
from hpvqa.record.video import ClipWriter
from hpvqa.scene.camera import project
from hpvqa.vlm.choice import DEFAULT_RESOLUTION, ModelChoice, choose_look
from hpvqa.vlm.families import families
from hpvqa.vlm.frames.cache import FrameCache
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from tests.pixel_clips import camera

FPS, FRAMES = 10, 12
SIZES = {"square": (96, 96), "four to three": (96, 72), "wide": (96, 54), "tall": (54, 96)}
MODELS = {
    **{family.name: family.resolution for family in families()},
    "embedded": (160, 160),
    "embedded-base": (160, 160),
}
sides = st.integers(2, 600)


def with_disc(path: Path, size: Size) -> Clip:
    """A red disc in the middle of a white picture, half as high as the shorter side."""
    width, height = size
    y, x = np.mgrid[:height, :width] + 0.5
    picture = np.full((height, width, 3), 235, np.uint8)
    picture[np.hypot(x - width / 2, y - height / 2) < min(size) / 4] = (200, 30, 30)
    with ClipWriter(path, FPS, width, height) as writer:
        for _ in range(FRAMES):
            writer.write(picture)
    return Clip(path, FPS, FRAMES)


def extent(mask: NDArray[np.bool_]) -> tuple[int, int]:
    """Width and height of what a mask holds."""
    rows, columns = np.nonzero(mask)
    return int(np.ptp(columns)) + 1, int(np.ptp(rows)) + 1


@pytest.mark.parametrize("shape", SIZES)
@pytest.mark.parametrize("model", MODELS)
def test_every_family_sees_the_shape_of_things(model: str, shape: str, tmp_path: Path) -> None:
    clip = with_disc(tmp_path / "clip.mp4", SIZES[shape])
    frames = choose_look(ModelChoice(backend="transformers", model=model)).frames
    picture = read_clip(clip, frames).images[0].astype(int)
    wide, high = MODELS[model]
    assert picture.shape == (high, wide, 3)
    disc = extent(picture[..., 0] - picture[..., 1] > 80)
    assert abs(disc[0] - disc[1]) <= max(2, 0.03 * max(disc))
    shown = extent(np.abs(picture - BAR).max(axis=-1) > 30)
    assert shown == inner_size(SIZES[shape], (wide, high))


@pytest.mark.parametrize("resolution", [(64, 96), (96, 64), (224, 160), (33, 57)])
def test_frames_that_are_not_square_do_not_squeeze_either(resolution: Size, tmp_path: Path) -> None:
    for shape, size in SIZES.items():
        clip = with_disc(tmp_path / f"{shape}.mp4", size)
        picture = read_clip(clip, FrameSampling(resolution=resolution)).images[0].astype(int)
        disc = extent(picture[..., 0] - picture[..., 1] > 80)
        assert abs(disc[0] - disc[1]) <= 2


def test_a_clip_of_the_shape_of_the_frames_has_no_bars(tmp_path: Path) -> None:
    clip = with_disc(tmp_path / "clip.mp4", (96, 96))
    padded, squeezed = (
        read_clip(clip, FrameSampling(resolution=DEFAULT_RESOLUTION, fit=fit)).images for fit in ("pad", "squeeze")
    )
    assert (padded == squeezed).all()


def test_as_recorded_is_as_recorded(tmp_path: Path) -> None:
    clip = with_disc(tmp_path / "clip.mp4", (96, 72))
    assert read_clip(clip, FrameSampling(resolution=None)).images.shape[1:] == (72, 96, 3)


@pytest.mark.parametrize("sampler", ["motion", "dense"])
def test_frames_that_were_chosen_by_motion_are_fitted_alike(sampler: str, tmp_path: Path) -> None:
    clip = with_disc(tmp_path / "clip.mp4", (96, 72))
    images = read_clip(clip, FrameSampling(sampler=sampler, fps=4, count=3, resolution=(48, 48))).images
    assert (images[0] == read_clip(clip, FrameSampling(resolution=(48, 48))).images[0]).all()


def test_kept_frames_are_never_those_of_another_fit(tmp_path: Path) -> None:
    clip = with_disc(tmp_path / "clip.mp4", (96, 72))
    cache = FrameCache(tmp_path / "cache", 10**7)
    for fit in ("squeeze", "pad", "squeeze"):
        sampling = FrameSampling(resolution=(32, 32), fit=fit)
        assert (cache.read(clip, sampling).images == read_clip(clip, sampling).images).all()


@given(st.tuples(sides, sides), st.tuples(sides, sides))
def test_the_inner_size_is_the_largest_of_the_shape_that_fits(of: Size, into: Size) -> None:
    inner = inner_size(of, into)
    assert all(1 <= a <= b for a, b in zip(inner, into, strict=True))
    assert inner[0] == into[0] or inner[1] == into[1]
    # Width by height is that of the clip, to half a pixel of the side that is not full.
    scale = max(inner[0] / of[0], inner[1] / of[1]) if inner == into else None
    if scale is None:
        full = inner[0] / of[0] if inner[0] == into[0] else inner[1] / of[1]
        assert all(abs(a - max(b * full, 1)) <= 0.5 + 1e-9 for a, b in zip(inner, of, strict=True))


@pytest.mark.parametrize("name", ["top", "low", "front"])
def test_between_bars_points_are_where_the_square_clip_has_them(name: str) -> None:
    points = [[0.4, 0.2, 0.0], [0.5, -0.1, 0.1], [0.45, 0.0, 0.3]]
    inner = inner_size((640, 480), (160, 160))
    bar = (160 - inner[1]) / 2
    square = project(camera(name).camera, points, 160, 160)
    shown = project(camera(name).camera, points, 640, 480) * inner[0] / 640 + (0, bar)
    assert shown == pytest.approx(square)
