"""A listener that keeps the events of a run, for tests that look at what was told."""

from __future__ import annotations

from hpvqa.progress.events import Event


class Recorder:
    """What a reporter tells, kept."""

    def __init__(self) -> None:
        self.events: list[Event] = []

    def consume(self, event: Event) -> None:
        """Keep it."""
        self.events.append(event)

    def close(self) -> None:
        """Nothing is open."""

    def of(self, kind: type[Event]) -> list[Event]:
        """The events of a kind."""
        return [event for event in self.events if isinstance(event, kind)]
