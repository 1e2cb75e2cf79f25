"""Decoding clips: only as far as the last frame that is wanted."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import RunError


def iter_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """All frames of a clip in order, RGB, each of shape (height, width, 3).

    Raises:
        RunError: The clip cannot be decoded.
    """
    try:
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                image: NDArray[np.uint8] = frame.to_ndarray(format="rgb24").astype(np.uint8, copy=False)
                yield image
    except (av.error.FFmpegError, IndexError) as error:
        raise RunError(f"The clip {path} cannot be decoded: {error}") from None


def read_frames(path: Path, indices: Sequence[int]) -> NDArray[np.uint8]:
    """Frames of a clip by number, RGB, shape (len(indices), height, width, 3), in the order asked for.

    Raises:
        RunError: The clip cannot be decoded, or is too short.
    """
    wanted = set(indices)
    found: dict[int, NDArray[np.uint8]] = {}
    for number, frame in enumerate(iter_frames(path)):
        if number in wanted:
            found[number] = frame
            if len(found) == len(wanted):
                break
    missing = sorted(wanted - set(found))
    if missing:
        raise RunError(f"The clip {path} has no frame {missing[0]}")
    return np.stack([found[index] for index in indices])
