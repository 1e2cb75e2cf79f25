"""Set a thing going by a quick push and let it slide. The rougher it is, the less far it gets, whatever it weighs."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hpvqa.probes.push import BEHIND, Push
from hpvqa.probes.waypoint import Waypoint, minimum_jerk
from hpvqa.scene.spec import GRAVITY, Thing

LENGTH, DURATION = 0.11, 0.34
"""How far the gripper goes [m], and how long that takes [s]."""
FACE = 0.0112
"""The closed pads' face stands this far in front of the pinch point [m]."""
SPRINGY = 1.07
"""A thing leaves the gripper so many times as fast as that is, for their contact is springy; fitted to eight slides."""


class Slide(Push):
    """The arm is stiff, so that how fast a thing leaves it depends on neither mass nor friction."""

    name: ClassVar[str] = "slide"
    title: ClassVar[str] = "Set a thing going by a quick push"
    shapes: ClassVar[frozenset[str]] = frozenset({"cylinder"})
    accuracy: ClassVar[float] = 0.006
    displays: ClassVar[tuple[str, ...]] = ("wait", "retreat")

    def waypoints(self, thing: Thing, *, first: bool) -> tuple[Waypoint, ...]:
        """Approach, push quickly, wait until the thing lies still, and retreat."""
        x, y, z = thing.position
        behind, beyond = (x - BEHIND, y, z), (x - BEHIND + LENGTH, y, z)
        return (
            Waypoint("approach", behind, 0.55 if first else 0.95, 1.0, thing=thing.name),
            Waypoint("push", beyond, DURATION, 1.0, thing=thing.name),
            Waypoint("wait", beyond, 0.6, 1.0, thing=thing.name),
            Waypoint("retreat", behind, 0.5, 1.0, thing=thing.name),
        )

    def law(self, thing: Thing) -> float:
        """Where the gripper is when the thing leaves it, and from there v² / (2 µ g), whatever the mass [m].

        It leaves where it gets furthest by that: there the gripper slows down by µ g.
        """
        share, rate = np.array([minimum_jerk(time, DURATION) for time in np.linspace(0.0, DURATION, 201)]).T
        gone = LENGTH * share - (BEHIND - FACE - thing.size[0] / 2)
        slid = (SPRINGY * LENGTH * rate) ** 2 / (2 * thing.friction * GRAVITY)
        return float((gone + slid)[gone > 0].max())
