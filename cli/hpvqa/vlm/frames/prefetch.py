"""Decoding clips in threads, ahead of whoever looks at them."""

from __future__ import annotations

from collections import deque
from collections.abc import Generator, Iterable
from concurrent.futures import Future, ThreadPoolExecutor
from itertools import islice

from hpvqa.errors import HpvqaError
from hpvqa.vlm.frames.clip import Clip, Frames
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling


def prefetch(
    clips: Iterable[Clip], sampling: FrameSampling, *, threads: int, ahead: int
) -> Generator[Frames | HpvqaError, None, None]:
    """What a model sees of each clip, in the order of the clips, or why there is nothing to see.

    Decoding does not hold Python's lock, so that threads do run side by side. However this ends, by ``close`` or by an
    error, no thread stays.

    Args:
        clips: The clips in any order; they may repeat. Each is asked for when its turn to be decoded has come.
        sampling: What is wanted of each.
        threads: How many decode.
        ahead: How many clips at most are decoded, or being decoded, beyond the one given out last: this bounds memory.
    """
    source = iter(clips)
    waiting: deque[Future[Frames | HpvqaError]] = deque()
    executor = ThreadPoolExecutor(threads, thread_name_prefix="decode")
    try:
        waiting.extend(executor.submit(_read, clip, sampling) for clip in islice(source, ahead))
        while True:
            waiting.extend(executor.submit(_read, clip, sampling) for clip in islice(source, 1))
            if not waiting:
                return
            yield waiting.popleft().result()
    finally:
        executor.shutdown(cancel_futures=True)


def _read(clip: Clip, sampling: FrameSampling) -> Frames | HpvqaError:
    try:
        return read_clip(clip, sampling)
    except HpvqaError as error:
        return error
