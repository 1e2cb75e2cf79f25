"""Push a bar across its middle. It turns about where its mass lies, so that its heavier end stays behind."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from hpvqa.probes.base import Probe
from hpvqa.probes.events import Event, EventKind, Pose, Span, find_event
from hpvqa.probes.traces import Turned
from hpvqa.probes.waypoint import Gains, Waypoint
from hpvqa.scene.spec import Thing, Vec3

STIFFNESS = 1500.0
"""In all directions [N/m]: the bar turns as it must, whatever its mass and its friction."""
GAINS = Gains.of(STIFFNESS, STIFFNESS, STIFFNESS)
FACE = 0.0112
"""The closed pads' face stands this far in front of the pinch point [m]."""
CLEAR = 0.03
"""The face starts this far behind the bar [m]."""
TRAVEL = 0.08
"""The face goes this far beyond where it meets the bar [m]."""
HEIGHT = 0.033
"""Of the pinch point [m]: the pads alone touch the bar, and not the knuckles beside them."""
REACH = 0.02275
"""A centre of mass this far from the middle [m] gives 76 % of the largest turn; fitted to 44 episodes."""
LEAST = math.radians(5)
"""A bar that turned by less than this was not turned."""


class Turn(Probe):
    """Quasi-static pushing at the middle: friction acts as if at the centre of mass."""

    name: ClassVar[str] = "turn"
    title: ClassVar[str] = "Push a bar across its middle"
    shapes: ClassVar[frozenset[str]] = frozenset({"box"})
    quantity: ClassVar[str] = "yaw"
    sharpness: ClassVar[float] = 0.02
    accuracy: ClassVar[float] = 0.02
    story: ClassVar[tuple[tuple[EventKind, str], ...]] = (("first_touch", "touched"), ("rest", "comes to rest"))
    axis: ClassVar[Literal["x", "y", "z"]] = "x"
    axis_label: ClassVar[str] = "forward position x"
    hover: ClassVar[Vec3] = (0.30, 0.0, 0.16)
    closed: ClassVar[float] = 1.0
    back: ClassVar[float] = 0.8

    def waypoints(self, thing: Thing, *, first: bool) -> tuple[Waypoint, ...]:
        """Approach, push across the middle, and retreat."""
        x, y, _ = thing.position
        face = x - thing.size[0] / 2 - FACE
        behind, beyond = (face - CLEAR, y, HEIGHT), (face + TRAVEL, y, HEIGHT)
        return (
            Waypoint("approach", behind, 0.9, 1.0, thing=thing.name),
            Waypoint("push", beyond, 1.8, 1.0, GAINS, thing.name),
            Waypoint("settle", beyond, 0.3, 1.0, GAINS, thing.name),
            Waypoint("retreat", behind, 0.7, 1.0, GAINS, thing.name),
        )

    def mishap(self, thing: Thing, events: Sequence[Event], final: Pose) -> str | None:
        """It was not touched, hardly turned, or did not stay on the table."""
        if find_event(events, "first_touch", thing.name, "gripper") is None:
            return f"{thing.words} was not touched"
        if abs(final.position[2] - thing.position[2]) > 0.005:
            return f"{thing.words} left the table or tipped over"
        if abs(final.yaw) < LEAST:
            return f"{thing.words} was hardly turned"
        return None

    def measure(self, thing: Thing, events: Sequence[Event], final: Pose) -> float:
        """By how much it is turned, seen from above counterclockwise [rad]: its left end stayed behind."""
        return final.yaw

    def span(self, thing: Thing, events: Sequence[Event], measured: float, duration: float) -> Span:
        """How far the end that went further did so, beyond the other end."""
        x, y, z = thing.position
        half = thing.size[1] / 2
        touch = find_event(events, "first_touch", thing.name)
        t = duration if touch is None else touch.t + 1.5
        end = (x + 2 * half * math.sin(abs(measured)), y, z)
        return Span(t, duration, (x, y, z), end, beside=-1 if measured > 0 else 1)

    def law(self, thing: Thing) -> float:
        """Yaw [rad] by the offset o of the centre of mass: atan(s / b)·tanh(o / c).

        With all mass at one end the bar turns about that end: the face's travel s over half the bar's length b is the
        tangent of the angle. How it gets there with the offset is fitted (docs/physics.md).
        """
        offset = thing.hidden("center_of_mass")
        return math.atan(TRAVEL / (thing.size[1] / 2)) * math.tanh(offset / REACH)

    def seen(
        self, thing: Thing, events: Sequence[Event], times: Sequence[float], places: Sequence[Pose]
    ) -> float | None:
        """The last yaw that was seen after the gripper left it [rad]."""
        touch = find_event(events, "first_touch", thing.name)
        after = [place for time, place in zip(times, places, strict=True) if touch is not None and time > touch.t + 1.9]
        return after[-1].yaw if after else None

    def trace(self, thing: Thing, hidden: str) -> Turned:
        """It is turned at the end."""
        furthest = math.atan(TRAVEL / (thing.size[1] / 2)) + 0.1
        return Turned(np.linspace(-furthest, furthest, 61), forward=TRAVEL + 0.02, sideways=0.03)
