"""Decoded frames kept on disk, so that the second look at a clip costs no decoding."""

from __future__ import annotations

import contextlib
import hashlib
import os
import uuid
import zipfile
from pathlib import Path

import numpy as np

from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling

SUFFIX = ".npz"


class FrameCache:
    """What models see of clips, in a folder of bounded size; several processes may share it.

    A clip that was replaced is decoded again. What was looked at longest ago goes first when there is no more room.

    Args:
        folder: The folder, made if it is missing.
        limit: Most bytes in it.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit
        self._written = 0

    def read(self, clip: Clip, sampling: FrameSampling) -> Frames:
        """What a model sees of a clip, from the cache if it is there.

        Raises:
            UsageError: See :func:`hpvqa.vlm.frames.read.read_clip`.
            RunError: The same.
        """
        path = self._folder / (_key(clip, sampling) + SUFFIX)
        found = _load(path, clip)
        if found is not None:
            return found
        frames = read_clip(clip, sampling)
        # A full disk costs only the time of decoding again.
        with contextlib.suppress(OSError):
            self._store(path, frames)
        return frames

    def _store(self, path: Path, frames: Frames) -> None:
        partial = path.with_name(f".{uuid.uuid4().hex}")
        try:
            with partial.open("wb") as file:
                np.savez(file, images=frames.images, indices=np.array(frames.indices))
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        self._written += frames.images.nbytes
        # Looking at the whole folder after every clip would cost more than decoding.
        if self._written >= self._limit // 64:
            self._written = 0
            self._shrink()

    def _shrink(self) -> None:
        found = []
        for path in self._folder.glob(f"*{SUFFIX}"):
            with contextlib.suppress(FileNotFoundError):
                stat = path.stat()
                found.append((stat.st_mtime_ns, stat.st_size, path))
        size = sum(entry[1] for entry in found)
        for _, bytes_, path in sorted(found):
            if size <= self._limit - self._limit // 32:
                return
            path.unlink(missing_ok=True)
            size -= bytes_


def _key(clip: Clip, sampling: FrameSampling) -> str:
    stat = clip.path.stat() if clip.path.exists() else None
    age = (stat.st_size, stat.st_mtime_ns) if stat else ()
    words = (str(clip.path.resolve()), age, clip.fps, clip.frames, clip.moments, clip.times, sampling.model_dump_json())
    return hashlib.sha256(repr(words).encode()).hexdigest()


def _load(path: Path, clip: Clip) -> Frames | None:
    try:
        with np.load(path, allow_pickle=False) as data:
            images, indices = data["images"], tuple(int(index) for index in data["indices"])
        os.utime(path)
    except (OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile):
        return None
    return Frames(images, indices, clip.fps, clip.frames)
