"""Decoded frames kept on disk, so that the second look at a clip costs no decoding."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import uuid
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpvqa.files import open_regular
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling

SUFFIX = ".frames"
_DIGEST = 32
"""Bytes of a SHA-256."""


class FrameCache:
    """What models see of clips, in a folder of bounded size; several processes may share it.

    A clip that was replaced is decoded again, and so is one whose file here is damaged in any way. What was looked at
    longest ago goes first when there is no more room.

    Args:
        folder: The folder, made if it is missing.
        limit: Most bytes in it.

    Raises:
        OSError: The folder cannot be made.
    """

    def __init__(self, folder: Path, limit: int) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._folder = folder
        self._limit = limit
        self._written = 0

    def holds(self, clip: Clip, sampling: FrameSampling) -> bool:
        """Whether there is a file of what a model sees of a clip; it may be damaged."""
        return self._path(_key(clip, sampling)).is_file()

    def read(self, clip: Clip, sampling: FrameSampling) -> Frames:
        """What a model sees of a clip, from the cache if it is there.

        Raises:
            UsageError: See :func:`hpvqa.vlm.frames.read.read_clip`.
            RunError: The same.
        """
        key = _key(clip, sampling)
        path = self._path(key)
        found = _load(path, key, clip)
        if found is not None:
            return found
        frames = read_clip(clip, sampling)
        # A full disk costs only the time of decoding again.
        with contextlib.suppress(OSError):
            self._store(path, key, frames)
        return frames

    def _path(self, key: str) -> Path:
        return self._folder / (key + SUFFIX)

    def _store(self, path: Path, key: str, frames: Frames) -> None:
        partial = path.with_name(f".{uuid.uuid4().hex}")
        header = json.dumps({"shape": frames.images.shape, "indices": frames.indices}).encode() + b"\n"
        images = np.ascontiguousarray(frames.images)
        try:
            with partial.open("wb") as file:
                file.write(_digest(key, header, images.reshape(-1)))
                file.write(header)
                file.write(images.data)
            partial.replace(path)
        finally:
            partial.unlink(missing_ok=True)
        self._written += images.nbytes
        # Looking at the whole folder after every clip would cost more than decoding.
        if self._written >= self._limit // 64:
            self._written = 0
            self._shrink()

    def _shrink(self) -> None:
        found = []
        # All files: also those of earlier versions, and what a process that was killed left.
        for path in self._folder.iterdir():
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


def _digest(key: str, header: bytes, images: NDArray[np.uint8]) -> bytes:
    """Of a file's content, and of what it belongs to."""
    digest = hashlib.sha256(key.encode())
    digest.update(header)
    digest.update(images.data)
    return digest.digest()


def _load(path: Path, key: str, clip: Clip) -> Frames | None:
    """The frames of a file: the checksum of it all, a line of JSON, and the images; None if it is not whole."""
    try:
        with open_regular(path) as file:
            digest, header = file.read(_DIGEST), file.readline(1 << 20)
            images = np.fromfile(file, np.uint8)
        os.utime(path)
    except OSError:
        return None
    if _digest(key, header, images) != digest:
        return None
    described = json.loads(header)
    return Frames(images.reshape(described["shape"]), tuple(described["indices"]), clip.fps, clip.frames)
