from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.record.decode import iter_frames, read_frames
from hpvqa.record.video import ClipWriter
from hpvqa.vlm.frames import read
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from tests.clips import still_then_moving

FRAMES, FPS = 60, 10
MOVING = range(30, 45)


@pytest.fixture(scope="module")
def path(tmp_path_factory: pytest.TempPathFactory) -> Path:
    made = tmp_path_factory.mktemp("clips") / "clip.mp4"
    with ClipWriter(made, FPS, 64, 48) as writer:
        for picture in still_then_moving(FRAMES, MOVING):
            writer.write(picture)
    return made


@pytest.fixture
def clip(path: Path) -> Clip:
    return Clip(path, FPS, FRAMES, (3.1, 4.4))


@pytest.fixture
def decodings(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Grows by one with each decoding of a clip."""
    opened: list[str] = []
    original = av.open

    def counted(file: str, **options: Any) -> object:
        opened.append(file)
        return original(file, **options)

    monkeypatch.setattr(av, "open", counted)
    return opened


@pytest.mark.parametrize("sampler", ["uniform", "dense", "motion", "events"])
@pytest.mark.parametrize("resolution", [(32, 24), None])
def test_pictures_are_those_of_their_numbers(clip: Clip, sampler: str, resolution: tuple[int, int] | None) -> None:
    frames = read_clip(clip, FrameSampling(sampler=sampler, resolution=resolution))
    assert len(frames.indices) == len(frames.images) == 12
    assert (frames.images == read_frames(clip.path, frames.indices, resolution)).all()
    if resolution is None:
        everything = np.stack(list(iter_frames(clip.path)))
        assert (frames.images == everything[list(frames.indices)]).all()
    assert (frames.fps, frames.total) == (FPS, FRAMES)
    assert frames.images.flags.c_contiguous


@pytest.mark.parametrize("sampler", ["uniform", "dense", "motion", "events"])
def test_a_clip_is_decoded_once(clip: Clip, decodings: list[str], sampler: str) -> None:
    read_clip(clip, FrameSampling(sampler=sampler, resolution=(32, 24)))
    assert len(decodings) == 1


def test_what_is_too_much_to_keep_is_decoded_again(
    clip: Clip, decodings: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    sampling = FrameSampling(sampler="motion", resolution=(32, 24))
    kept = read_clip(clip, sampling)
    monkeypatch.setattr(read, "_KEPT", 32 * 24 * 3 * FRAMES - 1)
    again = read_clip(clip, sampling)
    assert len(decodings) == 3
    assert again.indices == kept.indices
    assert (again.images == kept.images).all()


def test_motion_is_found_in_the_pixels(clip: Clip) -> None:
    around = range(MOVING.start - 1, MOVING.stop + 1)
    motion = read_clip(clip, FrameSampling(sampler="motion", count=12)).indices
    assert sum(index in around for index in motion) >= 8
    dense = read_clip(clip, FrameSampling(sampler="dense", fps=FPS, count=17)).indices
    assert dense[0] <= MOVING.start
    assert dense[-1] >= MOVING.stop - 1


def test_a_still_clip_is_seen_evenly(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    noise = np.random.default_rng(1)
    with ClipWriter(path, FPS, 64, 48) as writer:
        for number, picture in enumerate(still_then_moving(41, range(0))):
            grain = noise.integers(-2, 3, picture.shape) if number < 20 else 0
            writer.write((picture + grain).clip(0, 255).astype(np.uint8))
    frames = read_clip(Clip(path, FPS, 41), FrameSampling(sampler="motion", count=5))
    assert frames.indices == (0, 10, 20, 30, 40)


def test_a_small_object_is_not_lost_beside_a_large_one(tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    with ClipWriter(path, FPS, 160, 120) as writer:
        for number in range(60):
            picture = np.full((120, 160, 3), 90, np.uint8)
            large = 2 * min(number, 20)
            picture[10:110, large : large + 50] = 250
            small = 6 * min(max(number - 40, 0), 10)
            picture[20 + small : 28 + small, 130:138] = 250
            writer.write(picture)
    indices = read_clip(Clip(path, FPS, 60), FrameSampling(sampler="motion", count=16)).indices
    assert sum(40 <= index <= 50 for index in indices) >= 4


@pytest.mark.parametrize("sampler", ["uniform", "dense", "motion"])
def test_a_clip_shorter_than_said_is_one_sentence(path: Path, sampler: str) -> None:
    with pytest.raises(RunError, match=r"clip\.mp4 has no frame \d+: it ends after 60"):
        read_clip(Clip(path, FPS, 90), FrameSampling(sampler=sampler))


@pytest.mark.parametrize(("fps", "frames"), [(FPS, 0), (0.0, 60)])
def test_a_clip_without_frames_is_one_sentence(path: Path, fps: float, frames: int) -> None:
    with pytest.raises(RunError, match="has no frames, says its data set"):
        read_clip(Clip(path, fps, frames), FrameSampling())


def test_a_longer_clip_is_seen_as_far_as_its_data_set_says(path: Path) -> None:
    frames = read_clip(Clip(path, FPS, 20), FrameSampling(sampler="motion", count=4))
    assert frames.indices[-1] == 19


def test_events_must_be_known(path: Path) -> None:
    with pytest.raises(UsageError, match="No events are known"):
        read_clip(Clip(path, FPS, FRAMES), FrameSampling(sampler="events"))
