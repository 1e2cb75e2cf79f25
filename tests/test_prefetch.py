import threading
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

from hpvqa.errors import RunError
from hpvqa.vlm.frames import prefetch as module
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.prefetch import prefetch
from hpvqa.vlm.frames.sampling import FrameSampling
from tests.factories import FPS, FRAMES, make_clip
from tests.patience import PATIENCE

SAMPLING = FrameSampling(fps=FPS, resolution=(16, 16))


@pytest.fixture(scope="module")
def clips(tmp_path_factory: pytest.TempPathFactory) -> list[Clip]:
    folder = tmp_path_factory.mktemp("clips")
    for number in range(12):
        make_clip(folder / f"{number}.mp4", brightness=10 * number)
    return [Clip(folder / f"{number}.mp4", FPS, FRAMES) for number in range(12)]


@pytest.fixture(autouse=True)
def no_thread_stays() -> Iterator[None]:
    yield
    assert decoders() == []


def decoders() -> list[str]:
    return [thread.name for thread in threading.enumerate() if thread.name.startswith("decode")]


def brightness(frames: object) -> int:
    assert isinstance(frames, Frames)
    return round(float(np.median(frames.images)) / 10)


@pytest.mark.parametrize(("threads", "ahead"), [(1, 0), (1, 3), (3, 1), (4, 100)])
def test_clips_come_in_order(clips: list[Clip], threads: int, ahead: int) -> None:
    order = np.random.default_rng(1).permutation(24) % 12
    found = prefetch([clips[number] for number in order], SAMPLING, threads=threads, ahead=ahead)
    assert [brightness(frames) for frames in found] == order.tolist()


def test_a_slow_clip_is_waited_for(clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    def slow_at_first(clip: Clip, sampling: FrameSampling) -> Frames:
        if clip.path.stem == "0":
            time.sleep(0.2)
        return Frames(np.zeros((1, 1, 1, 3), np.uint8), (int(clip.path.stem),), 1, 99)

    monkeypatch.setattr(module, "read_clip", slow_at_first)
    found = [frames.indices[0] for frames in prefetch(clips, SAMPLING, threads=4, ahead=4)]  # type: ignore[union-attr]
    assert found == list(range(12))


def test_a_clip_that_does_not_decode_comes_as_its_error(clips: list[Clip], tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"no clip")
    found = list(prefetch([clips[1], Clip(broken, FPS, FRAMES), clips[3]], SAMPLING, threads=2, ahead=2))
    assert [brightness(found[0]), brightness(found[2])] == [1, 3]
    assert isinstance(found[1], RunError)
    assert "broken.mp4 cannot be decoded" in str(found[1])


def test_no_more_is_decoded_ahead_than_allowed(clips: list[Clip]) -> None:
    taken = 0

    def source() -> Iterator[Clip]:
        nonlocal taken
        for clip in clips:
            taken += 1
            yield clip

    found = prefetch(source(), SAMPLING, threads=2, ahead=3)
    assert taken == 0
    for given, _ in enumerate(found, 1):
        assert taken == min(given + 3, len(clips))


def test_it_decodes_while_nobody_asks(clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    decoded = threading.Semaphore(0)
    original = module.read_clip

    def counted(clip: Clip, sampling: FrameSampling) -> Frames:
        frames = original(clip, sampling)
        decoded.release()
        return frames

    monkeypatch.setattr(module, "read_clip", counted)
    found = prefetch(clips, SAMPLING, threads=2, ahead=3)
    next(found)
    assert all(decoded.acquire(timeout=PATIENCE) for _ in range(4))
    found.close()


def test_stopping_early_leaves_no_thread(clips: list[Clip]) -> None:
    found = prefetch(clips, SAMPLING, threads=3, ahead=5)
    next(found)
    assert decoders()
    found.close()
    assert decoders() == []
    with pytest.raises(StopIteration):
        next(found)


def test_an_error_of_whoever_looks_leaves_no_thread(clips: list[Clip]) -> None:
    found = prefetch(clips, SAMPLING, threads=3, ahead=5)
    next(found)
    with pytest.raises(KeyboardInterrupt):
        found.throw(KeyboardInterrupt())
    assert decoders() == []


def test_an_error_of_the_list_of_clips_is_raised(clips: list[Clip]) -> None:
    def source() -> Iterator[Clip]:
        yield from clips[:2]
        raise ValueError("no more")

    with pytest.raises(ValueError, match="no more"):
        list(prefetch(source(), SAMPLING, threads=2, ahead=1))


def test_a_mistake_of_ours_is_not_hidden(clips: list[Clip], monkeypatch: pytest.MonkeyPatch) -> None:
    def wrong(clip: Clip, sampling: FrameSampling) -> Frames:
        raise TypeError("a mistake")

    monkeypatch.setattr(module, "read_clip", wrong)
    with pytest.raises(TypeError, match="a mistake"):
        list(prefetch(clips, SAMPLING, threads=2, ahead=1))


def test_nothing_to_decode() -> None:
    assert list(prefetch([], SAMPLING, threads=2, ahead=4)) == []
