"""Push a thing forward by a soft spring. The more friction holds it, by its weight or its surface, the less it goes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from hpvqa.probes.base import Probe
from hpvqa.probes.events import Event, EventKind, Pose, Span, find_event
from hpvqa.probes.traces import Moved
from hpvqa.probes.waypoint import Gains, Waypoint
from hpvqa.scene.spec import Thing, Vec3

STIFFNESS = 150.0
"""Along the push [N/m]. At 200 and above displacements of light and heavy cubes come too close; see docs/physics.md."""
CROSS_STIFFNESS = 1500.0
"""Across the push [N/m]."""
GAINS = Gains.of(STIFFNESS, CROSS_STIFFNESS, CROSS_STIFFNESS)
BEHIND = 0.1
"""The pinch point starts this far behind the thing's centre [m]: the finger tips then stand 6 cm clear of a cube."""
LENGTH = 0.22
"""How far the pinch point is asked to go [m], free approach included."""
SETTLED = 1.2
"""This long after it was touched [s], a thing has come to rest."""
FURTHEST = 0.2
"""Nothing is pushed further than this [m]: the gripper itself goes little further."""
_MASSES = (0.5, 1.0, 1.5, 2.0, 2.5, 3.0, 4.0, 5.0)
_FRICTIONS = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7)
_CENTIMETRES = (
    (16.27, 15.89, 15.59, 15.08, 14.52, 13.26, 11.98),
    (16.00, 15.40, 14.61, 13.56, 12.26, 10.57, 9.61),
    (15.83, 14.78, 13.56, 12.05, 10.12, 8.90, 7.81),
    (15.55, 14.27, 12.56, 10.66, 8.75, 7.41, 5.90),
    (15.36, 13.64, 11.59, 9.16, 7.50, 5.79, 4.23),
    (15.08, 12.99, 10.11, 8.11, 6.15, 4.35, 2.49),
    (14.64, 11.73, 8.52, 5.93, 3.69, 1.64, 0.14),
    (14.08, 10.12, 6.84, 3.95, 1.43, 0.26, 0.07),
)
"""How far cubes of these masses [kg] and frictions went in the embedded simulator, without jitter."""


class Push(Probe):
    """The paper's pushing: a thing ends where the spring no longer overcomes friction."""

    name: ClassVar[str] = "push"
    title: ClassVar[str] = "Push a thing forward by a soft spring"
    shapes: ClassVar[frozenset[str]] = frozenset({"box", "cylinder"})
    quantity: ClassVar[str] = "displacement"
    sharpness: ClassVar[float] = 0.01
    accuracy: ClassVar[float] = 0.008
    from_start: ClassVar[bool] = True
    story: ClassVar[tuple[tuple[EventKind, str], ...]] = (("first_touch", "touched"), ("rest", "comes to rest"))
    axis: ClassVar[Literal["x", "y", "z"]] = "x"
    axis_label: ClassVar[str] = "forward position x"
    displays: ClassVar[tuple[str, ...]] = ("settle", "retreat")
    hover: ClassVar[Vec3] = (0.30, 0.0, 0.16)
    """Where the gripper starts and ends: the same place, so that first and last frame differ by the things alone."""
    closed: ClassVar[float] = 1.0

    def waypoints(self, thing: Thing, *, first: bool) -> tuple[Waypoint, ...]:
        """Approach, push and retreat."""
        x, y, z = thing.position
        behind, beyond = (x - BEHIND, y, z), (x - BEHIND + LENGTH, y, z)
        return (
            Waypoint("approach", behind, 0.55 if first else 0.95, 1.0, thing=thing.name),
            Waypoint("push", beyond, 1.2, 1.0, GAINS, thing.name),
            Waypoint("settle", beyond, 0.25, 1.0, GAINS, thing.name),
            Waypoint("retreat", behind, 0.5, 1.0, GAINS, thing.name),
        )

    def mishap(self, thing: Thing, events: Sequence[Event], final: Pose) -> str | None:
        """It was not touched, or did not stay flat on its straight line."""
        _, y, z = thing.position
        if find_event(events, "first_touch", thing.name, "gripper") is None:
            return f"{thing.words} was not touched"
        if abs(final.position[2] - z) > 0.005:
            return f"{thing.words} left the table or tipped over"
        if abs(final.position[1] - y) > 0.02:
            return f"{thing.words} slid sideways"
        return None

    def measure(self, thing: Thing, events: Sequence[Event], final: Pose) -> float:
        """How far it went along the push [m]."""
        return final.position[0] - thing.position[0]

    def span(self, thing: Thing, events: Sequence[Event], measured: float, duration: float) -> Span:
        """From where it stood to where it came to rest, along the push, and where it still is at the end."""
        x, y, z = thing.position
        touch = find_event(events, "first_touch", thing.name)
        touched = 0.0 if touch is None else touch.t
        rest = find_event(events, "rest", thing.name, after=touched)
        return Span(touched + SETTLED if rest is None else rest.t, duration, (x, y, z), (x + measured, y, z))

    def law(self, thing: Thing) -> float:
        """Displacement [m] by mass and friction, interpolated in a table of measurements (docs/physics.md)."""
        by_mass = [np.interp(thing.friction, _FRICTIONS, row) for row in _CENTIMETRES]
        return float(np.interp(thing.mass, _MASSES, by_mass)) / 100

    def seen(
        self, thing: Thing, events: Sequence[Event], times: Sequence[float], places: Sequence[Pose]
    ) -> float | None:
        """How far it went [m], where it is seen both before it was touched and after it came to rest."""
        touch = find_event(events, "first_touch", thing.name)
        moments = list(zip(times, places, strict=True))
        before = [place for time, place in moments if touch is None or time <= touch.t]
        after = [place for time, place in moments if touch is not None and time > touch.t + SETTLED]
        return after[-1].position[0] - before[0].position[0] if before and after else None

    def trace(self, thing: Thing, hidden: str) -> Moved:
        """It stands elsewhere at the end than at the start."""
        return Moved(np.arange(0, FURTHEST, 0.005).astype(np.float64))
