"""Flick two cylinders forward, one after the other. The smoother one slides further; friction cannot be seen."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from hpvqa.probes.push import BEHIND, Push
from hpvqa.probes.waypoint import Waypoint, minimum_jerk
from hpvqa.scene.randomization import Range
from hpvqa.scene.spec import Color, Thing
from hpvqa.tasks.base import Ranges
from hpvqa.tasks.pair import PairTask
from hpvqa.tasks.ranges import TwoRanges

GRAVITY = 9.81
"""[m/s²]"""
SIZE = (0.05, 0.05, 0.05)
"""[m]"""
LENGTH, DURATION = 0.13, 0.4
"""How far the gripper goes [m], and how long that takes [s]."""
FACE = 0.0112
"""The closed pads' face stands this far in front of the pinch point [m]."""
SPRINGY = 1.13
"""A thing leaves the gripper so many times as fast as that is, for their contact is springy; fitted to 96 flicks."""


class Flick(Push):
    """A short and quick push by a stiff arm: the thing leaves the gripper and slides until friction has stopped it."""

    name: ClassVar[str] = "flick"
    title: ClassVar[str] = "Flick a thing forward"

    def waypoints(self, thing: Thing, *, first: bool) -> tuple[Waypoint, ...]:
        """Approach, flick, wait until it lies still, and retreat."""
        x, y, z = thing.position
        behind, beyond = (x - BEHIND, y, z), (x - BEHIND + LENGTH, y, z)
        return (
            Waypoint("approach", behind, 0.55 if first else 0.95, 1.0, thing=thing.name),
            Waypoint("flick", beyond, DURATION, 1.0, thing=thing.name),
            Waypoint("wait", beyond, 0.6, 1.0, thing=thing.name),
            Waypoint("retreat", behind, 0.5, 1.0, thing=thing.name),
        )

    def law(self, thing: Thing) -> float:
        """Where the gripper is when the thing leaves it, and from there v² / (2 µ g), whatever the mass [m].

        It leaves where it gets furthest by that: there the gripper slows down by µ g.
        """
        share, rate = np.array([minimum_jerk(time, DURATION) for time in np.linspace(0.0, DURATION, 201)]).T
        gone = LENGTH * share - (BEHIND - FACE - thing.size[0] / 2)
        slide = (SPRINGY * LENGTH * rate) ** 2 / (2 * thing.friction * GRAVITY)
        return float((gone + slide)[gone > 0].max())


class FlickRanges(TwoRanges):
    """Friction of the cylinders with the table."""

    names: ClassVar[tuple[str, str]] = ("smooth", "rough")

    smooth: Range = Field(default=(0.15, 0.2), description="Coefficient of friction of the smoother cylinder.")
    rough: Range = Field(default=(0.4, 0.6), description="Coefficient of friction of the rougher cylinder.")


class FlickTask(PairTask):
    """Two cylinders that differ in their friction, and in their mass, which does not count."""

    name: ClassVar[str] = "flick"
    task_id: ClassVar[int] = 1000
    title: ClassVar[str] = "Flick two cylinders"
    hidden: ClassVar[str] = "friction"
    hidden_range: ClassVar[tuple[float, float]] = (0.15, 0.6)
    unit: ClassVar[str] = ""
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which cylinder has more friction, the left or the right "
        "one?"
    )
    value_question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, what is the coefficient of friction of {thing}?"
    )
    asked_unit: ClassVar[str] = ""
    default_fps: ClassVar[int] = 15
    probe: ClassVar[Flick] = Flick()
    ranges: ClassVar[type[Ranges]] = FlickRanges
    views: ClassVar[str] = "push"

    def build(self, name: str, hidden: float, x: float, y: float, color: Color, rng: np.random.Generator) -> Thing:
        """A cylinder with this friction, and of any mass between 0.5 and 2.5 kg."""
        return Thing(
            name=name,
            shape="cylinder",
            size=SIZE,
            position=(x, y, SIZE[2] / 2),
            mass=float(rng.uniform(0.5, 2.5)),
            friction=hidden,
            restitution=0.0,
            color=color,
        )
