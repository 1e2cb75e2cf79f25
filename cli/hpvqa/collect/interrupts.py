"""Ctrl-C, SIGTERM or a file as a request that a run looks at, instead of an exception out of nowhere."""

from __future__ import annotations

import signal
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType


class Interrupts:
    """How often the user has asked to stop.

    Args:
        stop_file: A file whose appearance is one more request.
    """

    def __init__(self, stop_file: Path | None = None) -> None:
        self._signals = 0
        self._stop_file = stop_file

    @property
    def count(self) -> int:
        """The number of requests so far."""
        return self._signals + (self._stop_file is not None and self._stop_file.exists())

    def __call__(self, signum: int, frame: FrameType | None) -> None:
        """Count one more request; a signal handler."""
        self._signals += 1


@contextmanager
def counted_interrupts(stop_file: Path | None = None) -> Iterator[Interrupts]:
    """Count SIGINT, SIGTERM and a file that appears while the block runs; for the main thread."""
    interrupts = Interrupts(stop_file)
    before = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number, handler in before.items():
        # Shells and nohup start background jobs with signals that are to be ignored.
        if handler != signal.SIG_IGN:
            signal.signal(number, interrupts)
    try:
        yield interrupts
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
