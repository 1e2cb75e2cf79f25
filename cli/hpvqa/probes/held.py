"""Probes that hold a thing still away from where it rests, by a spring: how far away is what is measured."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from hpvqa.probes.base import Probe
from hpvqa.probes.events import Event, Pose, Span, find_event
from hpvqa.scene.spec import Thing


class HeldProbe(Probe):
    """Base of probes that move a thing up or down and hold it there."""

    axis: ClassVar[Literal["x", "y", "z"]] = "z"
    axis_label: ClassVar[str] = "height of the centre z"
    up: ClassVar[Literal[1, -1]]
    """Whether it is moved up (1) or down (-1)."""
    still: ClassVar[tuple[float, float]]
    """So long after it was touched [s] a thing is held still."""

    def measure(self, thing: Thing, events: Sequence[Event], final: Pose) -> float:
        """How far from its place it was held [m]; 0 if it was not."""
        held = find_event(events, "held", thing.name)
        return 0.0 if held is None else self.up * (held.position[2] - thing.position[2])

    def span(self, thing: Thing, events: Sequence[Event], measured: float, duration: float) -> Span:
        """From where it stood to where it was held."""
        held = find_event(events, "held", thing.name)
        x, y, z = thing.position
        t = 0.0 if held is None else held.t
        return Span(t, t, (x, y, z), (x, y, z + self.up * measured))

    def seen(
        self, thing: Thing, events: Sequence[Event], times: Sequence[float], places: Sequence[Pose]
    ) -> float | None:
        """How far from its place it was [m], where it is seen both before it was touched and while it was held."""
        touch = find_event(events, "first_touch", thing.name)
        if touch is None:
            return None
        moments = list(zip(times, places, strict=True))
        before = [place.position[2] for time, place in moments if time <= touch.t]
        held = [place.position[2] for time, place in moments if self.still[0] <= time - touch.t <= self.still[1]]
        return self.up * (held[-1] - before[0]) if before and held else None
