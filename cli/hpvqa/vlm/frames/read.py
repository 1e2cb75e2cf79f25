"""From a clip to the frames of it that a model sees."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import islice, repeat

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import RunError
from hpvqa.record.decode import FrameFormat, iter_formats, read_frames, too_short
from hpvqa.vlm.frames.choose import Motion, choose, needs_motion
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.sampling import FrameSampling

_Looks = tuple[NDArray[np.uint8], ...]

_BLOCK = 8
_SMALL = FrameFormat("gray", (20 * _BLOCK, 15 * _BLOCK))
"""What motion is looked for in: small enough to be cheap, large enough to see a cube of five centimetres."""
_NOISE = 6
"""Differences up to this do not count [of 255]: encoding makes them where nothing moves."""
_KEPT = 256 << 20
"""All frames of a clip are kept until some are chosen if they take no more than this [bytes]."""


def read_clip(clip: Clip, sampling: FrameSampling) -> Frames:
    """Decode what a model sees of a clip.

    Nothing is decoded twice, but for one case: a sampler that follows motion must see all frames before it takes some.
    If they are wanted as recorded, or too many to keep them all, the chosen ones are decoded again.

    Raises:
        UsageError: Events are wanted, and none are known of the clip.
        RunError: The clip does not decode, or is shorter than it should be.
    """
    if clip.frames < 1 or clip.fps <= 0:
        raise RunError(f"The clip {clip.path} has no frames, says its data set; build the data set again")
    size, fit = sampling.resolution, sampling.fit
    if not needs_motion(sampling, clip):
        indices = choose(sampling, clip)
    elif size is None or 3 * size[0] * size[1] * clip.frames > _KEPT:
        motion, _ = _look_at_all(clip, ())
        indices = choose(sampling, clip, motion)
    else:
        motion, candidates = _look_at_all(clip, (FrameFormat("rgb24", size, fit),))
        indices = choose(sampling, clip, motion)
        return Frames(np.stack([candidates[index] for index in indices]), indices, clip.fps, clip.frames)
    images = read_frames(clip.path, [clip.stored(index) for index in indices], size, fit)
    return Frames(images, indices, clip.fps, clip.frames)


def _look_at_all(clip: Clip, looks: tuple[FrameFormat, ...]) -> tuple[Motion, list[NDArray[np.uint8]]]:
    """What moves, and all frames as they would be shown, from one decoding."""
    motion: list[float] = []
    kept: list[NDArray[np.uint8]] = []
    before: NDArray[np.uint8] | None = None
    for small, *shown in islice(_played(clip, iter_formats(clip.path, (_SMALL, *looks))), clip.frames):
        motion.append(0.0 if before is None else _difference(before, small))
        before = small
        kept += shown
    if len(motion) < clip.frames:
        raise too_short(clip.path, len(motion), len(motion))
    return np.array(motion), kept


def _played(clip: Clip, stored: Iterator[_Looks]) -> Iterator[_Looks]:
    """The frames as a player shows them at a constant rate: each as often as it is on the screen."""
    if not clip.times:
        yield from stored
        return
    shown = Counter(clip.stored(index) for index in range(clip.frames))
    for number, looks in enumerate(stored):
        yield from repeat(looks, shown[number])


def _difference(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    """How much changes between two pictures.

    What counts is the block that changes most, and of it the root, so that a small sphere that falls is not lost beside
    an arm that moves.
    """
    apart = np.maximum(a, b) - np.minimum(a, b)
    beyond = np.maximum(apart, _NOISE) - _NOISE
    blocks = beyond.reshape(beyond.shape[0] // _BLOCK, _BLOCK, -1, _BLOCK).mean(axis=(1, 3), dtype=np.float64)
    return float(np.sqrt(blocks.max()))
