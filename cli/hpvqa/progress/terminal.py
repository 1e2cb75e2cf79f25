"""Progress for people: a bar on a terminal, an occasional line where there is none."""

from __future__ import annotations

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from rich.text import Text

from hpvqa.progress.events import Done, Event, Frames, Item, Note, Start, Warn

LINES_INTERVAL = 10.0
"""Least time between two status lines where there is no terminal [s]."""


class Tracker:
    """How far an activity is, worked out from its events."""

    def __init__(self) -> None:
        self.activity = ""
        self.done = self.total = 0
        self._unit = ""
        self._done_at_start = self._failed = 0
        self._begin = self._last_item = self._now = 0.0
        self._rate = 0.0

    def consume(self, event: Event) -> None:
        """Take the next event."""
        self._now = event.time
        if isinstance(event, Start):
            self.activity, self._unit, self.total = event.activity, event.unit, event.total
            self.done = self._done_at_start = event.done
            self._begin = self._last_item = event.time
            self._failed, self._rate = 0, 0.0
        elif isinstance(event, Item):
            self.done = event.done
            self._last_item = event.time
            self._failed += event.tries - event.ok
        elif isinstance(event, Frames):
            self._rate = event.per_second

    def per_second(self) -> float | None:
        """How many items a second were done since the start; None before the first one."""
        made, seconds = self.done - self._done_at_start, self._last_item - self._begin
        return made / seconds if made and seconds > 0 else None

    def seconds_left(self) -> float | None:
        """Estimated time to the end [s]; None before the first item."""
        made = self.done - self._done_at_start
        if made == 0:
            return None
        pace = (self._last_item - self._begin) / made
        return max(pace * (self.total - self.done) - (self._now - self._last_item), 0.0)

    def text(self) -> str:
        """How far it is, in a line."""
        parts = [f"{self.done}/{self.total} {self._unit}"]
        if self._rate:
            parts.append(f"{self._rate:.0f} frames/s")
        elif (pace := self.per_second()) is not None and pace >= 1:
            parts.append(f"{pace:.1f} {self._unit}/s")
        if self._failed:
            what = "failed attempt" if self.activity == "collect" else "problem"
            parts.append(f"{self._failed} {what}" + "s" * (self._failed > 1))
        left = self.seconds_left()
        if left is not None and self.done < self.total:
            minutes, seconds = divmod(round(left), 60)
            parts.append(f"{minutes // 60}:{minutes % 60:02d}:{seconds:02d} left")
        return ", ".join(parts)


class Bar:
    """A bar on a terminal; notes and warnings scroll above it."""

    def __init__(self, console: Console) -> None:
        self._tracker = Tracker()
        self._bar = Progress(
            TextColumn("{task.description}", markup=False),
            BarColumn(bar_width=None),
            TextColumn("{task.fields[text]}", markup=False),
            console=console,
            expand=True,
            refresh_per_second=4,
        )
        self._task = self._bar.add_task("", total=None, text="")

    def consume(self, event: Event) -> None:
        """Redraw."""
        self._tracker.consume(event)
        if isinstance(event, (Note, Warn)):
            self._bar.console.print(_words(event))
        self._bar.update(
            self._task,
            description=self._tracker.activity,
            completed=self._tracker.done,
            total=self._tracker.total,
            text=self._tracker.text(),
        )
        if isinstance(event, Start):
            self._bar.start()
        elif isinstance(event, Done):
            self._bar.stop()

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.stop()


class Lines:
    """An occasional line, such as for a log."""

    def __init__(self, console: Console) -> None:
        self._console = console
        self._tracker = Tracker()
        self._printed = float("-inf")

    def consume(self, event: Event) -> None:
        """Print a line, if it is time for one."""
        self._tracker.consume(event)
        if isinstance(event, (Note, Warn)):
            self._console.print(_words(event), soft_wrap=True)
        elif self._tracker.activity and (
            isinstance(event, (Start, Done)) or event.time - self._printed >= LINES_INTERVAL
        ):
            self._printed = event.time
            self._console.print(Text(f"{self._tracker.activity}: {self._tracker.text()}"), soft_wrap=True)

    def close(self) -> None:
        """Nothing is open."""


def _words(event: Note | Warn) -> Text:
    return Text(event.message) if isinstance(event, Note) else Text(f"Warning: {event.message}", style="yellow")
