"""Decoding clips into the frame cache while the model is loaded, which leaves cores idle."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager, suppress

from hpvqa.errors import HpvqaError
from hpvqa.processes import ONE_THREAD, Workers, exit_with_parent
from hpvqa.vlm.frames.cache import FrameCache
from hpvqa.vlm.frames.clip import Clip
from hpvqa.vlm.frames.sampling import FrameSampling

Wanted = tuple[Clip, FrameSampling]
"""A clip, and which of its frames are seen."""


@contextmanager
def decoding_ahead(cache: FrameCache | None, clips: Sequence[Wanted], processes: int) -> Iterator[None]:
    """Decode clips as long as the block runs, in their order; what is wrong with one is told when it is read.

    Args:
        cache: Where their frames go; None: nothing is decoded.
        clips: The clips.
        processes: How many decode, but one core is left to whoever loads the model.
    """
    missing = [] if cache is None else [wanted for wanted in clips if not cache.holds(*wanted)]
    count = min(processes, max(len(os.sched_getaffinity(0)) - 1, 1), len(missing))
    workers = None
    if count:
        # It only saves time: a machine that has no semaphores, or no memory, does without.
        with suppress(OSError, BrokenExecutor):
            workers = Workers(count, _initialize, (cache,), ONE_THREAD)
            for wanted in missing:
                workers.submit(_decode, *wanted)
    try:
        yield
    finally:
        if workers is not None:
            workers.stop()


_cache: FrameCache | None = None


def _initialize(cache: FrameCache) -> None:
    global _cache
    _cache = cache
    exit_with_parent()


def _decode(clip: Clip, sampling: FrameSampling) -> None:
    assert _cache is not None  # noqa: S101 - the pool has initialised every process
    with suppress(HpvqaError):
        _cache.read(clip, sampling)
