"""What a clip holds, found by decoding it: headers may be missing, or describe what was cut off since."""

from __future__ import annotations

import math
from dataclasses import dataclass
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

from av.video.stream import VideoStream

from hpvqa.errors import RunError
from hpvqa.files import is_file
from hpvqa.record.opening import opened
from hpvqa.record.pixel_shape import pixel_shape, with_square_pixels
from hpvqa.record.turning import turn_of

_APART = 0.25
"""A clip has a constant frame rate if no frame is farther than this from its place at that rate [frames]; containers
round times to a thousandth of a second, or less."""
_FINEST = 60
"""Frames a second in which a clip of varying rate is shown at most [1/s]."""
_GUESS = 25.0
"""Frame rate of a clip that has no times at all, or a single frame [1/s]; the one that FFmpeg assumes, too."""


@dataclass(frozen=True)
class ClipFormat:
    """Format of a clip.

    Attributes:
        fps: Frame rate [1/s].
        frames: Number of frames; of a clip whose rate varies, of those that a player shows at the constant rate
            ``fps``, in which a frame stays until the next one.
        width: As it is shown, which may be turned, with square pixels [pixels].
        height: [pixels]
        times: When each frame that is stored is shown [s], from the first one on; None if the frame rate is constant.
    """

    fps: float
    frames: int
    width: int
    height: int
    times: tuple[float, ...] | None = None


def probe(path: Path) -> ClipFormat:
    """Decode a clip from its beginning to its end.

    Raises:
        RunError: The clip is missing, damaged, cut short or without frames.
    """
    if not is_file(path):
        raise RunError(f"The clip {path} is missing")
    times: list[float | None] = []
    size = (0, 0)
    with opened(path) as (container, stream):
        for frame in container.decode(stream):
            size = turn_of(frame).size(*with_square_pixels(frame.width, frame.height, pixel_shape(stream)))
            times.append(frame.time)
        promised, declared = _promised_bytes(stream), stream.average_rate
    if not times:
        raise RunError(f"The clip {path} is damaged: it holds no frames")
    if promised > path.stat().st_size:
        raise RunError(f"The clip {path} is damaged: it is cut short, for its header lists more than the file holds")
    fps, irregular = _rate(times, declared)
    frames = len(times) if irregular is None else math.floor(irregular[-1] * fps + 0.5) + 1
    return ClipFormat(fps, frames, *size, times=irregular)


def _promised_bytes(stream: VideoStream) -> int:
    """Where the last picture that the header lists would end in the file."""
    # PyAV shows the list from 17 on.
    return max((entry.pos + entry.size for entry in getattr(stream, "index_entries", ())), default=0)


def _rate(times: list[float | None], declared: Fraction | None) -> tuple[float, tuple[float, ...] | None]:
    """The frame rate, and the times where it varies."""
    known = [time for time in times if time is not None]
    if len(known) < len(times) or len(known) < 2 or known[-1] <= known[0]:
        return float(declared or _GUESS), None
    shown = [time - known[0] for time in known]
    mean = (len(shown) - 1) / shown[-1]
    for fps in (float(declared or mean), mean):
        if all(abs(time * fps - number) <= _APART for number, time in enumerate(shown)):
            return fps, None
    shortest = min((b - a for a, b in pairwise(shown) if b > a), default=0.0)
    return float(min(round(1 / shortest), _FINEST)), tuple(round(time, 6) for time in shown)
