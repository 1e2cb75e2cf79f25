"""What a long activity tells how far it is."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

from rich.console import Console

from hpvqa.errors import UsageError
from hpvqa.progress.events import Done, Event, Frames, Item, Note, Start, Status, Warn
from hpvqa.progress.terminal import Bar, Lines

FRAMES_INTERVAL = 1.0
"""Least time between two frames events [s]."""


class Sink(Protocol):
    """Something that shows or stores events."""

    def consume(self, event: Event) -> None:
        """Take the next event."""

    def close(self) -> None:
        """Nothing follows."""


class Reporter:
    """Makes events out of what it is told and hands them to every sink; any thread may say something.

    Args:
        sinks: Who gets the events.
        clock: The time [s since 1970].
    """

    def __init__(self, sinks: Sequence[Sink], clock: Callable[[], float]) -> None:
        self._sinks = list(sinks)
        self._clock = clock
        self._lock = threading.RLock()
        self._begin = clock()
        self._done = self._total = 0
        self._frames = deque([(self._begin, 0)])

    def start(self, activity: str, unit: str, total: int, done: int = 0) -> None:
        """Begin an activity of ``total`` items, ``done`` of which are there already."""
        self._begin = self._clock()
        self._done, self._total = done, total
        self._frames = deque([(self._begin, 0)], maxlen=10)
        self._emit(Start(time=self._begin, activity=activity, unit=unit, total=total, done=done))

    def item(self, name: str, *, ok: bool = True, tries: int = 1, message: str | None = None) -> None:
        """One more item is done."""
        self._done += 1
        counts = {"done": self._done, "total": self._total}
        self._emit(Item(time=self._clock(), name=name, ok=ok, tries=tries, message=message, **counts))

    def frames(self, frames: int) -> None:
        """So many frames were rendered since the start; may be called as often as is convenient."""
        now = self._clock()
        if frames == 0 or now - self._frames[-1][0] < FRAMES_INTERVAL:
            return
        then, before = self._frames[0]
        self._frames.append((now, frames))
        self._emit(Frames(time=now, frames=frames, per_second=(frames - before) / (now - then)))

    def note(self, message: str) -> None:
        """Say something."""
        self._emit(Note(time=self._clock(), message=message))

    def warning(self, message: str) -> None:
        """Warn of something."""
        self._emit(Warn(time=self._clock(), message=message))

    def done(self, status: Status = "finished", message: str | None = None) -> None:
        """End the activity."""
        now = self._clock()
        seconds = max(now - self._begin, 0.0)
        counts = {"done": self._done, "total": self._total}
        self._emit(Done(time=now, status=status, message=message, seconds=seconds, **counts))

    def _emit(self, event: Event) -> None:
        with self._lock:
            for sink in tuple(self._sinks):
                try:
                    sink.consume(event)
                except LostSinkError as error:
                    self._sinks.remove(sink)
                    self.warning(str(error))


class LostSinkError(Exception):
    """A sink can take no more events; the work goes on without it."""


class JsonLines:
    """Writes every event as one line of JSON, at once."""

    def __init__(self, path: Path) -> None:
        self._path = path
        try:
            self._file = path.open("wb", buffering=0)
        except OSError as error:
            raise UsageError(f"The progress file {path} cannot be written: {error.strerror}") from None

    def consume(self, event: Event) -> None:
        """Write a line.

        Raises:
            LostSinkError: The disk does not take it.
        """
        line = memoryview(event.model_dump_json().encode() + b"\n")
        try:
            while line:
                line = line[self._file.write(line) :]
        except OSError as error:
            raise LostSinkError(
                f"The progress file {self._path} ends here, for it cannot be written: {error.strerror}"
            ) from None

    def close(self) -> None:
        """Close the file."""
        self._file.close()


@contextmanager
def reporting(console: Console, file: Path | None, clock: Callable[[], float]) -> Iterator[Reporter]:
    """Report progress on a console, and in a file if one is given.

    An exception that leaves the block ends the stream with status ``failed``.

    Raises:
        UsageError: The file cannot be written.
    """
    sinks: list[Sink] = [] if file is None else [JsonLines(file)]
    sinks.append(Bar(console) if console.is_terminal else Lines(console))
    reporter = Reporter(sinks, clock)
    try:
        yield reporter
    except Exception as error:
        reporter.done("failed", str(error))
        raise
    finally:
        for sink in sinks:
            sink.close()
