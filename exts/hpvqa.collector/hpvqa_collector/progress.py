"""How far a run is, from the file of events that it writes; docs/progress.md of hpvqa describes them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

Event = dict[str, Any]


class ProgressFile:
    """Follows a file of newline-delimited JSON while it grows.

    Args:
        path: The file; it need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._read = 0

    def new_events(self) -> list[Event]:
        """The events since the last look. A line that is not complete yet is left for the next one."""
        try:
            with self._path.open("rb") as file:
                file.seek(self._read)
                text = file.read()
        except FileNotFoundError:
            return []
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [event for line in whole.splitlines() if (event := _parse(line)) is not None]


def _parse(line: bytes) -> Event | None:
    try:
        event = json.loads(line)
    except (ValueError, RecursionError):
        return None
    return event if isinstance(event, dict) else None


class Progress:
    """What the events of a run add up to."""

    def __init__(self) -> None:
        self.begun: float | None = None
        self.total = self.done = self.before = 0
        self.failed = 0
        self.frames_per_second: float | None = None
        self.message = ""
        """The last thing worth knowing."""
        self.problem = ""
        """Why the last episode that failed did, or a warning."""
        self.status: str | None = None
        self.reason: str | None = None
        self.newest: str | None = None

    def take(self, event: Event) -> None:
        """Add an event; unknown ones are passed over."""
        kind = event.get("event")
        if kind == "start":
            self.begun = event["time"]
            self.total, self.done, self.before = event["total"], event["done"], event["done"]
        elif kind == "item":
            self.done, self.total = event["done"], event["total"]
            self.newest = event["name"]
            self.failed += not event["ok"]
            if event.get("message"):
                kept = "failed" if not event["ok"] else f"needed {event['tries']} attempts"
                self.problem = f"{event['name']} {kept}: {event['message']}"
        elif kind == "frames":
            self.frames_per_second = event["per_second"]
        elif kind == "note":
            self.message = event["message"]
        elif kind == "warning":
            self.problem = event["message"]
        elif kind == "done":
            self.status, self.reason = event["status"], event.get("message")
            self.frames_per_second = None

    def skip(self, seconds: float) -> None:
        """Leave out a time in which nothing was done."""
        if self.begun is not None:
            self.begun += seconds

    @property
    def fraction(self) -> float:
        """How much is done, from 0 to 1."""
        return self.done / self.total if self.total else 0.0

    def remaining(self, now: float) -> float | None:
        """How long the rest will take [s], from the pace so far; None while nothing is known.

        Args:
            now: The time [s since 1970].
        """
        made = self.done - self.before
        if self.begun is None or made == 0 or self.status is not None:
            return None
        return max((now - self.begun) / made * (self.total - self.done), 0.0)


def duration(seconds: float) -> str:
    """A length of time in words."""
    if seconds < 90:
        return f"{max(round(seconds), 1)} s"
    if seconds < 5400:
        return f"{round(seconds / 60)} min"
    return f"{seconds / 3600:.1f} h"


def size(count: float) -> str:
    """A number of bytes in words."""
    for unit, factor in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6)):
        if count >= factor:
            return f"{count / factor:.1f} {unit}"
    return f"{count / 1e3:.0f} kB"
