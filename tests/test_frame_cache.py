"""Decoded frames on disk: the same as from the clip, bounded, and never from another clip."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hpvqa.errors import RunError
from hpvqa.vlm.frames import cache as caching
from hpvqa.vlm.frames.cache import FrameCache
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from tests.factories import FPS, FRAMES, make_clip
from tests.test_saving import no_file_longer_than

SAMPLING = FrameSampling(fps=FPS, resolution=(32, 32))


@pytest.fixture
def decoded(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    seen: list[Path] = []

    def counted(clip: Clip, sampling: FrameSampling) -> Frames:
        seen.append(clip.path)
        return read_clip(clip, sampling)

    monkeypatch.setattr(caching, "read_clip", counted)
    return seen


def clip(path: Path, brightness: int = 100) -> Clip:
    make_clip(path, brightness)
    return Clip(path, FPS, FRAMES)


def test_the_second_look_costs_no_decoding(tmp_path: Path, decoded: list[Path]) -> None:
    shown = clip(tmp_path / "a.mp4")
    plain = read_clip(shown, SAMPLING)
    for _ in range(3):
        found = FrameCache(tmp_path / "cache", 10**7).read(shown, SAMPLING)
        assert (found.images == plain.images).all()
        assert (found.indices, found.fps, found.total) == (plain.indices, plain.fps, plain.total)
    assert len(decoded) == 1


def test_another_clip_or_other_frames_are_decoded(tmp_path: Path, decoded: list[Path]) -> None:
    cache, shown = FrameCache(tmp_path / "cache", 10**7), clip(tmp_path / "a.mp4", 20)
    first = cache.read(shown, SAMPLING)
    cache.read(shown, SAMPLING.model_copy(update={"count": 2}))
    make_clip(shown.path, 90)
    os.utime(shown.path, ns=(1, 1))
    again = cache.read(shown, SAMPLING)
    assert len(decoded) == 3
    assert (first.images != again.images).any()


def test_it_is_bounded_and_forgets_the_oldest(tmp_path: Path, decoded: list[Path]) -> None:
    size = 5 * 32 * 32 * 3
    cache = FrameCache(tmp_path / "cache", 8 * size)
    clips = [clip(tmp_path / f"{number}.mp4", number) for number in range(20)]
    for shown in clips:
        cache.read(shown, SAMPLING)
        assert sum(path.stat().st_size for path in (tmp_path / "cache").iterdir()) <= 8 * size
    kept = len(list((tmp_path / "cache").iterdir()))
    assert 5 <= kept <= 8
    decoded.clear()
    cache.read(clips[-1], SAMPLING)
    assert decoded == []
    cache.read(clips[0], SAMPLING)
    assert decoded == [clips[0].path]


def test_damage_and_a_full_disk_cost_only_time(tmp_path: Path, decoded: list[Path]) -> None:
    cache, shown = FrameCache(tmp_path / "cache", 10**7), clip(tmp_path / "a.mp4")
    cache.read(shown, SAMPLING)
    (stored,) = (tmp_path / "cache").iterdir()
    stored.write_bytes(stored.read_bytes()[:100])
    assert cache.read(shown, SAMPLING).images.shape == (FRAMES, 32, 32, 3)
    stored.unlink()

    with no_file_longer_than(1000):
        assert cache.read(shown, SAMPLING).images.shape == (FRAMES, 32, 32, 3)
    assert list((tmp_path / "cache").iterdir()) == []


@given(st.data())
@settings(max_examples=60)
def test_no_damage_changes_what_is_seen(kept: tuple[FrameCache, Clip, Path], data: st.DataObject) -> None:
    cache, shown, stored = kept
    plain = read_clip(shown, SAMPLING)
    whole = cache.read(shown, SAMPLING) and stored.read_bytes()
    # The header, which says how the images lie, is hit as often as the images.
    places = st.one_of(st.integers(0, 200), st.integers(0, len(whole) - 1))
    damaged = bytearray(whole)
    for place in data.draw(st.lists(places, min_size=1, max_size=3, unique=True)):
        damaged[place] ^= data.draw(st.integers(1, 255))
    cut = data.draw(st.one_of(st.just(len(whole)), st.integers(0, len(whole))))
    stored.write_bytes(damaged[:cut])
    found = cache.read(shown, SAMPLING)
    assert np.array_equal(found.images, plain.images)
    assert found.indices == plain.indices
    assert stored.read_bytes() == whole


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> tuple[FrameCache, Clip, Path]:
    folder = tmp_path_factory.mktemp("kept")
    cache, shown = FrameCache(folder / "cache", 10**9), clip(folder / "a.mp4")
    cache.read(shown, SAMPLING)
    (stored,) = (folder / "cache").iterdir()
    return cache, shown, stored


def test_a_file_of_another_clip_is_not_taken(tmp_path: Path) -> None:
    cache, folder = FrameCache(tmp_path / "cache", 10**7), tmp_path / "cache"
    one, other = clip(tmp_path / "a.mp4", 20), clip(tmp_path / "b.mp4", 90)
    cache.read(one, SAMPLING)
    (first,) = folder.iterdir()
    cache.read(other, SAMPLING)
    (second,) = set(folder.iterdir()) - {first}
    first.replace(second)
    assert np.array_equal(cache.read(other, SAMPLING).images, read_clip(other, SAMPLING).images)


def test_files_that_nobody_needs_any_more_are_forgotten_too(tmp_path: Path) -> None:
    folder = tmp_path / "cache"
    cache = FrameCache(folder, 30_000)
    for name in ("0123.npz", ".partial-of-a-killed-process"):
        (folder / name).write_bytes(bytes(20_000))
        os.utime(folder / name, ns=(1, 1))
    cache.read(clip(tmp_path / "a.mp4"), SAMPLING)
    assert [path.suffix for path in folder.iterdir()] == [".frames"]


def test_a_clip_that_does_not_decode_is_not_kept(tmp_path: Path) -> None:
    (tmp_path / "a.mp4").write_bytes(b"no video")
    with pytest.raises(RunError):
        FrameCache(tmp_path / "cache", 10**7).read(Clip(tmp_path / "a.mp4", FPS, FRAMES), SAMPLING)
    assert list((tmp_path / "cache").iterdir()) == []
