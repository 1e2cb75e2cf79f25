"""Which frames of a clip a model sees, by number."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import UsageError
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.sampling import PAPER_FPS, FrameSampling

Motion = NDArray[np.float64]
"""How much each frame differs from the one before it, shape (frames,); the first does not. Any unit will do."""

_EVEN = 0.25
"""This share of the mean is added to all motion: a fifth of the frames follow time alone, so that stillness is seen."""


def needs_motion(sampling: FrameSampling, clip: Clip) -> bool:
    """Whether the choice depends on what moves."""
    if sampling.sampler == "dense":
        return _stretch(sampling, clip)[-1] < clip.frames - 1
    return sampling.sampler == "motion" and 2 < count(sampling, clip) < clip.frames


def count(sampling: FrameSampling, clip: Clip) -> int:
    """How many frames a model sees of a clip."""
    at_rate = _count_at(sampling.fps, clip)
    if sampling.sampler == "dense":
        return min(at_rate, _count_at(PAPER_FPS, clip) if sampling.count is None else sampling.count)
    return at_rate if sampling.count is None else min(sampling.count, clip.frames)


def choose(sampling: FrameSampling, clip: Clip, motion: Motion | None = None) -> tuple[int, ...]:
    """Numbers of the frames, ascending and all different. Of a single one that may be anywhere, the last.

    Args:
        sampling: What is wanted.
        clip: The clip, at least one frame long.
        motion: What moves, where :func:`needs_motion` says so.

    Raises:
        UsageError: Events are wanted, and none are known of the clip.
    """
    wanted, last = count(sampling, clip), clip.frames - 1
    if sampling.sampler == "dense":
        return _dense(_stretch(sampling, clip), motion)
    if sampling.sampler == "events":
        return _events(wanted, clip)
    if sampling.sampler == "motion" and motion is not None:
        return _motion(wanted, motion)
    if sampling.sampler == "uniform" and sampling.count is None:
        last = _frame((wanted - 1) * _step(sampling.fps, clip), clip)
    return _spread(last, wanted)


def _step(fps: float, clip: Clip) -> float:
    """Frames of the clip from one wanted frame to the next; no frame is wanted twice."""
    return max(clip.fps / fps, 1.0)


def _frame(place: float, clip: Clip) -> int:
    """The frame nearest to a place in the clip, which is counted in frames."""
    return min(max(round(place), 0), clip.frames - 1)


def _count_at(fps: float, clip: Clip) -> int:
    """How many of the times 0, 1/fps, 2/fps … are nearer to a frame of the clip than to the one that would follow."""
    return min(math.ceil((clip.frames - 0.5) / _step(fps, clip)), clip.frames)


def _spread(last: int, wanted: int) -> tuple[int, ...]:
    """Numbers from 0 to ``last``, each at most half a frame from its even place: even by ``Frames.rate``."""
    if wanted == 1:
        return (last,)
    step = last / (wanted - 1)
    return tuple(round(number * step) for number in range(wanted))


def _stretch(sampling: FrameSampling, clip: Clip) -> tuple[int, ...]:
    """Frames of a stretch at the wanted rate, counted from its first."""
    wanted = count(sampling, clip)
    return _spread(_frame((wanted - 1) * _step(sampling.fps, clip), clip), wanted)


def _dense(stretch: tuple[int, ...], motion: Motion | None) -> tuple[int, ...]:
    """Put a stretch where most moves, or at the beginning if it leaves no choice."""
    if motion is None:
        return stretch
    moved = np.concatenate([[0.0], np.cumsum(motion)])
    length = stretch[-1] + 1
    start = int(np.argmax(moved[length:] - moved[:-length]))
    return tuple(start + number for number in stretch)


def _motion(wanted: int, motion: Motion) -> tuple[int, ...]:
    """Between any two neighbours about the same amount moves."""
    frames = len(motion)
    pace = motion[1:] + max(_EVEN * float(motion[1:].mean()), 1e-9)
    passed = np.concatenate([[0.0], np.cumsum(pace)])
    shares = np.linspace(0.0, passed[-1], wanted)
    places = np.rint(np.interp(shares, passed, np.arange(frames))).astype(int)
    # All different: a frame that is taken is left for the next one, unless the clip ends.
    order = np.arange(wanted)
    places = np.maximum.accumulate(places - order) + order
    return tuple(int(place) for place in np.minimum(places, frames - wanted + order))


def _events(wanted: int, clip: Clip) -> tuple[int, ...]:
    """The frames at events, of too many an even choice; to too few, those farthest from all others are added."""
    if not clip.moments:
        raise UsageError(f"No events are known of the clip {clip.path}; choose another sampler than events")
    at = sorted({_frame(moment * clip.fps, clip) for moment in clip.moments})
    if len(at) >= wanted:
        return tuple(at[number] for number in _spread(len(at) - 1, wanted))
    distance = np.abs(np.subtract.outer(at, np.arange(clip.frames))).min(axis=0)
    while len(at) < wanted:
        farthest = int(distance.argmax())
        at.append(farthest)
        distance = np.minimum(distance, np.abs(np.arange(clip.frames) - farthest))
    return tuple(sorted(at))
