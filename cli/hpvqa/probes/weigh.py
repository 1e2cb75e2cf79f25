"""Lift a thing by a soft spring. The heavier it is, the less high it hangs, whatever its friction, until it slips."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from hpvqa.probes.base import Array
from hpvqa.probes.events import Event, EventKind, Pose, find_event
from hpvqa.probes.held import HeldProbe
from hpvqa.probes.traces import Path
from hpvqa.probes.waypoint import Gains, Waypoint, minimum_jerk
from hpvqa.scene.spec import GRAVITY, Thing, Vec3

STIFFNESS = 500.0
"""Upwards [N/m]: soft enough for 4 kg to show as 8 cm."""
CROSS_STIFFNESS = 1500.0
"""Across the lift [N/m]."""
GAINS = Gains.of(CROSS_STIFFNESS, CROSS_STIFFNESS, STIFFNESS)
GRIP_STIFFNESS = 9500.0
"""How soft the contact between finger tips and thing is [N/m]: it hangs a millimetre a kilogram lower; measured."""
GIVE = 1 / STIFFNESS + 1 / GRIP_STIFFNESS
"""Of both springs, one after the other [m/N]."""
LIFT = 0.14
"""How high the pinch point is asked to go [m]: what weighs nothing would rise as far."""
_RISE, _HOLD, _LOWER = 0.9, 1.0, 0.7
"""How long lifting, holding and lowering take [s]."""
_MASSES = np.linspace(0.5, 5.0, 91)


class Weigh(HeldProbe):
    """A compliant lift: the spring's force carries the weight."""

    name: ClassVar[str] = "weigh"
    title: ClassVar[str] = "Lift a thing by a soft spring"
    shapes: ClassVar[frozenset[str]] = frozenset({"box"})
    quantity: ClassVar[str] = "rise"
    sharpness: ClassVar[float] = 0.003
    accuracy: ClassVar[float] = 0.001
    story: ClassVar[tuple[tuple[EventKind, str], ...]] = (
        ("first_touch", "grasped"),
        ("held", "hangs still"),
        ("release", "let go"),
    )
    up: ClassVar[Literal[1, -1]] = 1
    still: ClassVar[tuple[float, float]] = (1.9, 2.25)
    displays: ClassVar[tuple[str, ...]] = ("hold",)
    hover: ClassVar[Vec3] = (0.30, 0.0, 0.16)
    closed: ClassVar[float] = 0.0
    back: ClassVar[float] = 0.5

    def waypoints(self, thing: Thing, *, first: bool) -> tuple[Waypoint, ...]:
        """Grasp, lift softly, hold, put down and get out of the way."""
        x, y, z = thing.position
        place, above, up = ((x, y, z + height) for height in (0.0, 0.12, LIFT))
        name = thing.name
        return (
            Waypoint("approach", above, 0.55 if first else 0.9, 0.0, thing=name),
            Waypoint("descend", place, 0.45, 0.0, thing=name),
            Waypoint("grasp", place, 0.35, 1.0, thing=name),
            Waypoint("lift", up, _RISE, 1.0, GAINS, name),
            Waypoint("hold", up, _HOLD, 1.0, GAINS, name),
            Waypoint("lower", place, _LOWER, 1.0, GAINS, name),
            Waypoint("settle", place, 0.1, 1.0, GAINS, name),
            Waypoint("release", place, 0.15, 0.0, GAINS, name),
            Waypoint("retreat", above, 0.35, 0.0, thing=name),
        )

    def mishap(self, thing: Thing, events: Sequence[Event], final: Pose) -> str | None:
        """It slipped out of the gripper, or does not stand where it stood."""
        held = find_event(events, "held", thing.name)
        if held is None:
            return f"{thing.words} slipped out of the gripper"
        if find_event(events, "release", thing.name, after=held.t) is None:
            return f"{thing.words} was not let go"
        x, y, z = thing.position
        if abs(final.position[2] - z) > 0.005:
            return f"{thing.words} left the table or tipped over"
        if np.hypot(final.position[0] - x, final.position[1] - y) > 0.02:
            return f"{thing.words} was not put down where it stood"
        return None

    def law(self, thing: Thing) -> float:
        """Rise [m]: what is missing of the asked height stretches the springs of arm and grip until they carry it."""
        return max(LIFT - thing.mass * GRAVITY * GIVE, 0.0)

    def trace(self, thing: Thing, hidden: str) -> Path:
        """It goes up, hangs, and comes down again."""
        return Path(_MASSES, _hung, 0.1, _RISE + _HOLD + _LOWER, 0.0, LIFT, thing.size, thing.half_height)


def _hung(masses: Array, time: Array) -> Array:
    """Heights above the table [m], shape (n, m), of things of these masses [kg] at times since the lift begins [s]."""
    up = np.array([minimum_jerk(t, _RISE)[0] - minimum_jerk(t - _RISE - _HOLD, _LOWER)[0] for t in time.tolist()])
    return np.asarray(np.maximum(LIFT * up[None, :] - (masses * GRAVITY * GIVE)[:, None], 0.0))
