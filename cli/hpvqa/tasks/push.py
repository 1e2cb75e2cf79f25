"""Push two cubes forward, one after the other. The lighter one slides further; mass is what cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import numpy as np
from pydantic import Field

from hpvqa.scene.randomization import Range
from hpvqa.scene.spec import SIDES, Color, EpisodeSpec, ObjectSpec, Side, Vec3
from hpvqa.tasks.base import Task, Waypoint, find_event
from hpvqa.tasks.outcome import Event, EventKind, Measurement, Span

CUBE_HALF = 0.025
FRICTION = 0.4
BEHIND = 0.1
"""The pinch point starts this far behind the cube's centre [m]: the finger tips then stand 6 cm clear of it."""
PUSH_LENGTH = 0.22
"""How far the pinch point is asked to go [m], free approach included."""
HOVER: Vec3 = (0.30, 0.0, 0.16)
"""Where the gripper starts and ends: the same place, so that first and last frame differ by the cubes alone."""
BETWEEN = 0.108
"""Half way between how far cubes of 1 kg and of 3 kg go [m]: 13.5 and 8.0 cm in the embedded simulator."""
PUSHED = 1.2
"""This long after it was touched [s], a cube has come to rest."""
SPREAD = 0.01
"""How sure the distance of a cube makes an observer: it multiplies the odds by e for each of these [m]."""


class Push(Task):
    """The paper's cube pushing task."""

    name: ClassVar[str] = "push"
    task_id: ClassVar[int] = 1
    title: ClassVar[str] = "Push two cubes"
    hidden: ClassVar[Literal["mass", "restitution"]] = "mass"
    hidden_range: ClassVar[tuple[float, float]] = (0.5, 5.0)
    unit: ClassVar[str] = "kg"
    story: ClassVar[tuple[tuple[EventKind, str], ...]] = (("first_touch", "touched"), ("rest", "comes to rest"))
    axis: ClassVar[Literal["x", "y", "z"]] = "x"
    axis_label: ClassVar[str] = "forward position x"
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which cube looks heavier, the left one or the right one?"
    )
    default_fps: ClassVar[int] = 15

    light_mass: Range = Field(default=(0.5, 1.0), description="Mass of the lighter cube [kg].")
    heavy_mass: Range = Field(default=(3.0, 5.0), description="Mass of the heavier cube [kg].")

    def draw_hidden(self, rng: np.random.Generator) -> tuple[float, float]:
        """One mass from each range."""
        return float(rng.uniform(*self.light_mass)), float(rng.uniform(*self.heavy_mass))

    @classmethod
    def build_object(cls, hidden: float, x: float, y: float, color: Color) -> ObjectSpec:
        """A 5 cm cube of mass ``hidden`` [kg]."""
        return ObjectSpec(
            shape="cube",
            size=CUBE_HALF,
            position=(x, y, CUBE_HALF),
            mass=hidden,
            friction=FRICTION,
            restitution=0.0,
            color=color,
        )

    @classmethod
    def waypoints(cls, spec: EpisodeSpec) -> tuple[Waypoint, ...]:
        """Approach, push and retreat, twice: six seconds."""
        plan = [Waypoint("home", HOVER, 0.0, 1.0)]
        for number, side in enumerate(spec.order):
            x, y, z = spec.object(side).position
            behind = (x - BEHIND, y, z)
            beyond = (x - BEHIND + PUSH_LENGTH, y, z)
            plan += [
                Waypoint("approach", behind, 0.55 if number == 0 else 0.95, 1.0, object=side),
                Waypoint("push", beyond, 1.2, 1.0, compliant=True, object=side),
                Waypoint("settle", beyond, 0.25, 1.0, compliant=True, object=side),
                Waypoint("retreat", behind, 0.5, 1.0, compliant=True, object=side),
            ]
        return (*plan, Waypoint("home", HOVER, 0.6, 1.0))

    @classmethod
    def measure(cls, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[Side, Vec3]) -> Measurement:
        """How far each cube went along the push [m]."""
        left, right = (final[side][0] - spec.object(side).position[0] for side in SIDES)
        return Measurement(quantity="displacement", left=left, right=right)

    @classmethod
    def span(cls, spec: EpisodeSpec, events: Sequence[Event], measurement: Measurement, side: Side) -> Span:
        """From where the cube stood to where it came to rest, along the push, and where it still is at the end."""
        x, y, z = spec.object(side).position
        touch = find_event(events, "first_touch", side)
        touched = 0.0 if touch is None else touch.t
        rest = find_event(events, "rest", side, after=touched)
        t = touched + PUSHED if rest is None else rest.t
        return Span(t, cls.duration(spec), (x, y, z), (x + measurement.of(side), y, z))

    @classmethod
    def answer_from(cls, measurement: Measurement) -> Side:
        """The heavier cube is the one that went less far."""
        return min(SIDES, key=measurement.of)

    @classmethod
    def log_odds(
        cls, spec: EpisodeSpec, events: Sequence[Event], times: Sequence[float], places: Mapping[Side, Sequence[Vec3]]
    ) -> float:
        """Each cube that is seen where it started and where it ended speaks for itself."""
        left, right = (cls._heaviness(events, times, places[side], side) for side in SIDES)
        return left - right

    @classmethod
    def _heaviness(cls, events: Sequence[Event], times: Sequence[float], places: Sequence[Vec3], side: Side) -> float:
        touch = find_event(events, "first_touch", side)
        before = [place for time, place in zip(times, places, strict=True) if touch is None or time <= touch.t]
        after = [
            place for time, place in zip(times, places, strict=True) if touch is not None and time > touch.t + PUSHED
        ]
        if not before or not after:
            return 0.0
        return (BETWEEN - (after[-1][0] - before[0][0])) / SPREAD

    @classmethod
    def mishap(cls, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[Side, Vec3]) -> str | None:
        """A cube that was not touched, or did not stay flat on its straight line."""
        for side in SIDES:
            _, y, z = spec.object(side).position
            if find_event(events, "first_touch", side, "gripper") is None:
                return f"the {side} cube was not touched"
            if abs(final[side][2] - z) > 0.005:
                return f"the {side} cube left the table or tipped over"
            if abs(final[side][1] - y) > 0.02:
                return f"the {side} cube slid sideways"
        return None
