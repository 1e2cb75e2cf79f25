"""Many clips encoded beside the simulation, in order, with little waiting in memory."""

from __future__ import annotations

import errno
import threading
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.record.decode import read_frames
from hpvqa.record.encoders import EncoderPool
from hpvqa.record.video import ClipWriter


def picture(clip: int, frame: int) -> np.ndarray:
    return np.full((32, 48, 3), (40 * clip + 4 * frame) % 256, np.uint8)


def test_every_clip_gets_its_frames_in_order(tmp_path: Path) -> None:
    clips = [ClipWriter(tmp_path / f"{number}.mp4", 10, 48, 32) for number in range(5)]
    with EncoderPool(3, depth=2) as pool:
        for frame in range(12):
            for number, clip in enumerate(clips):
                pool.write(clip, picture(number, frame))
    for clip in clips:
        clip.close()
    for number in range(5):
        frames = read_frames(tmp_path / f"{number}.mp4", list(range(12)))
        assert np.abs(frames[:, 0, 0, 0] - [int(picture(number, frame)[0, 0, 0]) for frame in range(12)]).max() <= 6


def test_the_same_bytes_as_without_threads(tmp_path: Path) -> None:
    pooled = ClipWriter(tmp_path / "pooled.mp4", 10, 48, 32)
    with ClipWriter(tmp_path / "alone.mp4", 10, 48, 32) as alone, EncoderPool(4) as pool:
        for frame in range(20):
            alone.write(picture(1, frame))
            pool.write(pooled, picture(1, frame))
    pooled.close()
    assert (tmp_path / "alone.mp4").read_bytes() == (tmp_path / "pooled.mp4").read_bytes()


class Gate:
    """A clip whose frames are only taken once it is opened."""

    def __init__(self) -> None:
        self.open = threading.Event()
        self.frames = 0

    def write(self, image: Any) -> None:
        self.open.wait(30)
        self.frames += 1


def test_no_more_frames_wait_than_there_are_places() -> None:
    gate: Any = Gate()
    pool = EncoderPool(1, depth=3)
    brought = 0

    def bring() -> None:
        nonlocal brought
        for frame in range(10):
            pool.write(gate, picture(0, frame))
            brought += 1

    thread = threading.Thread(target=bring)
    thread.start()
    thread.join(0.5)
    # One is being encoded, three wait, the fifth waits for a place.
    assert brought <= 4
    assert pool.waiting() == 3
    gate.open.set()
    thread.join(30)
    pool.close()
    assert gate.frames == 10


class Full:
    def write(self, image: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")


def _bring(pool: EncoderPool, clip: Any) -> None:
    for frame in range(50):
        pool.write(clip, picture(0, frame))


def test_a_full_disk_is_told_and_nobody_waits_for_ever() -> None:
    full: Any = Full()
    pool = EncoderPool(2, depth=1)
    with pytest.raises(OSError, match="No space"):
        _bring(pool, full)
    with pytest.raises(OSError, match="No space"):
        pool.close()
