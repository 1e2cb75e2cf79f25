"""Decoding clips: only the frames that are wanted, and only as far as the last of them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hpvqa.errors import RunError
from hpvqa.record.fitting import Fit, Size, inner_size, padded
from hpvqa.record.groups import read_by_groups
from hpvqa.record.opening import opened
from hpvqa.record.pixel_shape import pixel_shape, with_square_pixels
from hpvqa.record.scaling import Scaler
from hpvqa.record.turning import turn_of

_BILINEAR = 1 << 1
_AREA = 1 << 5 | 1 << 13 | 1 << 18 | 1 << 19
"""Flags of libswscale (swscale.h): every pixel is the average of the area that it covers, in full colour, rounded
accurately, and alike on every processor."""


class FrameFormat(NamedTuple):
    """What a decoded frame is turned into."""

    format: Literal["rgb24", "gray"] = "rgb24"
    size: Size | None = None
    """None: as recorded."""
    fit: Fit = "squeeze"


class _Developer:
    """Turns frames into arrays of shape (height, width, 3), or (height, width) if grey, in the calling thread alone."""

    def __init__(self, kind: FrameFormat, stream: VideoStream) -> None:
        self._kind, self._shape = kind, pixel_shape(stream)
        self._scale = Scaler(_AREA if kind.size else _BILINEAR)

    def __call__(self, frame: VideoFrame) -> NDArray[np.uint8]:
        turn, kind = turn_of(frame), self._kind
        recorded = with_square_pixels(frame.width, frame.height, self._shape)
        inner = kind.size
        if kind.size and kind.fit == "pad":
            inner = inner_size(turn.size(*recorded), kind.size)
        width, height = turn.size(*inner) if inner else recorded
        picture = turn(self._scale(frame, width, height, kind.format).to_ndarray().astype(np.uint8, copy=False))
        return padded(picture, kind.size) if kind.size else picture


def iter_frames(path: Path) -> Iterator[NDArray[np.uint8]]:
    """All frames of a clip in order, RGB, each of shape (height, width, 3).

    Raises:
        RunError: The clip cannot be decoded.
    """
    return (frame for (frame,) in iter_formats(path, [FrameFormat()]))


def iter_formats(path: Path, formats: Sequence[FrameFormat]) -> Iterator[tuple[NDArray[np.uint8], ...]]:
    """All frames of a clip in order, each decoded once and turned into several things.

    Raises:
        RunError: The clip cannot be decoded.
    """
    with opened(path) as (container, stream):
        developers = [_Developer(kind, stream) for kind in formats]
        for frame in container.decode(stream):
            yield tuple(develop(frame) for develop in developers)


def read_frames(
    path: Path, indices: Sequence[int], size: Size | None = None, fit: Fit = "squeeze"
) -> NDArray[np.uint8]:
    """Frames of a clip by number, RGB, shape (len(indices), height, width, 3), in the order asked for.

    The frames are the same, bit by bit, as if the whole clip were decoded; damage to others may go unnoticed.

    Args:
        path: The clip.
        indices: The numbers, at least one; the first frame is 0.
        size: What frames are brought to; by default they stay as they are.
        fit: How.

    Raises:
        RunError: The clip cannot be decoded, or is too short.
    """
    wanted = frozenset(indices)
    kind = FrameFormat("rgb24", size, fit)
    found = _read_some(path, wanted, kind)
    if found is None:
        found = _read_in_order(path, wanted, kind)
    try:
        return np.stack([found[index] for index in indices])
    except ValueError:
        raise changing_size(path) from None


def _read_some(path: Path, wanted: frozenset[int], kind: FrameFormat) -> dict[int, NDArray[np.uint8]] | None:
    """Read without decoding what no wanted frame needs; None where that does not work."""
    try:
        with opened(path) as (container, stream):
            return read_by_groups(container, stream, wanted, _Developer(kind, stream))
    except RunError:
        # Decoding in order says the same, or decodes nevertheless.
        return None


def _read_in_order(path: Path, wanted: frozenset[int], kind: FrameFormat) -> dict[int, NDArray[np.uint8]]:
    found: dict[int, NDArray[np.uint8]] = {}
    count = 0
    with opened(path) as (container, stream):
        develop = _Developer(kind, stream)
        for frame in container.decode(stream):
            if count in wanted:
                found[count] = develop(frame)
                if len(found) == len(wanted):
                    return found
            count += 1
    raise too_short(path, min(wanted - set(found)), count)


def too_short(path: Path, missing: int, frames: int) -> RunError:
    """The error about a frame that a clip should have, and has not."""
    return RunError(f"The clip {path} has no frame {missing}: it ends after {frames}; it was cut short, or replaced")


def changing_size(path: Path) -> RunError:
    """The error about a clip whose pictures are not all of one size."""
    return RunError(f"The clip {path} cannot be used: the size of its pictures changes on the way")
