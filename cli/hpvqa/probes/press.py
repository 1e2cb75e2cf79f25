"""Press a plate on a spring down by a softer spring. The stiffer its spring is, the less it gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

import numpy as np

from hpvqa.probes.base import Array
from hpvqa.probes.events import Event, EventKind, Pose, find_event
from hpvqa.probes.held import HeldProbe
from hpvqa.probes.traces import Path
from hpvqa.probes.waypoint import Gains, Waypoint, minimum_jerk
from hpvqa.scene.spec import Thing, Vec3
from hpvqa.scene.spring import BASE_HEIGHT, PLATE_HEIGHT, travel

STIFFNESS = 500.0
"""Downwards [N/m]."""
CROSS_STIFFNESS = 1500.0
"""Across the press [N/m]."""
GAINS = Gains.of(CROSS_STIFFNESS, CROSS_STIFFNESS, STIFFNESS)
DEPTH = 0.08
"""How far below the free plate the finger tips are asked to go [m]: a spring without stiffness would give as much."""
TIP = 0.0173
"""Closed finger tips end this far below the pinch point [m]."""
ABOVE = 0.035
"""The pinch point starts this far above the plate [m]: a longer way down makes it overshoot."""
_DOWN, _HOLD, _UP = 1.3, 0.6, 0.8
"""How long pressing, holding and letting go take [s]."""
_VALUES = np.geomspace(100.0, 2500.0, 91)


class Press(HeldProbe):
    """Two springs in a row: the gripper's and the thing's."""

    name: ClassVar[str] = "press"
    title: ClassVar[str] = "Press a plate down by a soft spring"
    shapes: ClassVar[frozenset[str]] = frozenset({"spring"})
    quantity: ClassVar[str] = "deflection"
    sharpness: ClassVar[float] = 0.002
    accuracy: ClassVar[float] = 0.0005
    story: ClassVar[tuple[tuple[EventKind, str], ...]] = (("first_touch", "touched"), ("held", "held down"))
    up: ClassVar[Literal[1, -1]] = -1
    still: ClassVar[tuple[float, float]] = (1.0, 1.5)
    displays: ClassVar[tuple[str, ...]] = ("hold",)
    hover: ClassVar[Vec3] = (0.30, 0.0, 0.25)
    closed: ClassVar[float] = 1.0

    def waypoints(self, thing: Thing, *, first: bool) -> tuple[Waypoint, ...]:
        """Come from above, press, hold and let go."""
        x, y, z = thing.position
        top = z + thing.half_height
        above, below = (x, y, top + ABOVE), (x, y, top + TIP - DEPTH)
        return (
            Waypoint("approach", above, 0.7 if first else 0.9, 1.0, thing=thing.name),
            Waypoint("press", below, _DOWN, 1.0, GAINS, thing.name),
            Waypoint("hold", below, _HOLD, 1.0, GAINS, thing.name),
            Waypoint("retreat", above, _UP, 1.0, GAINS, thing.name),
        )

    def mishap(self, thing: Thing, events: Sequence[Event], final: Pose) -> str | None:
        """It was not held down, or did not come up again."""
        if find_event(events, "held", thing.name) is None:
            return f"{thing.words} was not held down"
        if abs(final.position[2] - thing.position[2]) > 0.005:
            return f"{thing.words} did not come up again"
        return None

    def law(self, thing: Thing) -> float:
        """Deflection d [m]: both springs bear the same force, k·d = K·(D - d)."""
        stiffness = 0.0 if thing.stiffness is None else thing.stiffness
        return DEPTH * STIFFNESS / (STIFFNESS + stiffness)

    def trace(self, thing: Thing, hidden: str) -> Path:
        """It goes down, stays, and comes up again."""
        across, along, top = thing.size
        plate, base = (across, along, PLATE_HEIGHT), (across, along, BASE_HEIGHT)
        after, rest = _DOWN + _HOLD + _UP, top - PLATE_HEIGHT / 2
        return Path(_VALUES, _pressed, 0.1, after, -travel(thing), 0.0, plate, rest, base=base)


def _pressed(stiffness: Array, time: Array) -> Array:
    """Heights above the place at rest [m], shape (n, m), of plates on springs of these stiffnesses [N/m].

    Args:
        stiffness: Shape (n,).
        time: Since the press begins, shape (m,) [s].
    """
    reach = ABOVE - TIP + DEPTH
    asked = [reach * (minimum_jerk(t, _DOWN)[0] - minimum_jerk(t - _DOWN - _HOLD, _UP)[0]) for t in time.tolist()]
    depth = np.maximum(np.array(asked) - (ABOVE - TIP), 0.0)
    return np.asarray(-depth[None, :] * (STIFFNESS / (STIFFNESS + stiffness))[:, None])
