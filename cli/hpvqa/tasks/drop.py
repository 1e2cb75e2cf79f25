"""Lift two spheres to the same height and drop them. How high they bounce shows their elasticity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hpvqa.probes.drop import Drop
from hpvqa.probes.events import Event, Pose, find_event
from hpvqa.scene.randomization import Range
from hpvqa.scene.spec import Color, EpisodeSpec, Thing
from hpvqa.tasks.base import Ranges
from hpvqa.tasks.pair import PairTask

DIAMETER = 0.05
MASS = 0.1
FRICTION = 0.9


class DropRanges(Ranges):
    """Coefficients of restitution of the spheres."""

    restitution: Range = Field(default=(0.0, 1.0), description="Coefficient of restitution of both spheres.")
    restitution_gap: float = Field(default=0.2, ge=0, le=1, description="Least difference between both coefficients.")

    @model_validator(mode="after")
    def _room_for_the_gap(self) -> Self:
        low, high = self.restitution
        if not 0 <= low <= high <= 1:
            raise ValueError(f"a coefficient of restitution lies between 0 and 1, the range {low} to {high} does not")
        if high - low < self.restitution_gap:
            raise ValueError(f"a gap of {self.restitution_gap} does not fit between {low} and {high}")
        return self

    def draw_hidden(self, rng: np.random.Generator) -> tuple[float, float]:
        """Uniform over all pairs whose difference is at least the gap."""
        # Taking the gap out leaves a plain triangle: sort two uniform values, then put the gap between them.
        low, high = self.restitution
        a, b = np.sort(rng.uniform(low, high - self.restitution_gap, 2))
        return float(a), float(b + self.restitution_gap)

    def possible(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Both in the range, and apart."""
        bottom, top = self.restitution
        # The grid's numbers are rounded; a gap that is met exactly is met.
        return (low >= bottom) & (high <= top) & (high - low >= self.restitution_gap)


class DropTask(PairTask):
    """The paper's sphere dropping task."""

    name: ClassVar[str] = "drop"
    task_id: ClassVar[int] = 2
    title: ClassVar[str] = "Drop two spheres"
    hidden: ClassVar[str] = "restitution"
    hidden_range: ClassVar[tuple[float, float]] = (0.0, 1.0)
    unit: ClassVar[str] = ""
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which sphere looks more elastic, the left or the right?"
    )
    value_question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, what is the coefficient of restitution of {thing}, as a "
        "number between 0 and 1?"
    )
    asked_unit: ClassVar[str] = ""
    default_fps: ClassVar[int] = 30
    probe: ClassVar[Drop] = Drop()
    ranges: ClassVar[type[Ranges]] = DropRanges
    beyond: ClassVar[Ranges] = DropRanges(restitution=(0.75, 0.95), restitution_gap=0.1)
    """Nothing is outside of 0 to 1; pairs as close as these are never drawn otherwise."""

    def build(self, name: str, hidden: float, x: float, y: float, color: Color, rng: np.random.Generator) -> Thing:
        """A 5 cm sphere of this restitution."""
        return Thing(
            name=name,
            shape="sphere",
            size=(DIAMETER, DIAMETER, DIAMETER),
            position=(x, y, DIAMETER / 2),
            mass=MASS,
            friction=FRICTION,
            restitution=hidden,
            color=color,
        )

    def mishap(self, spec: EpisodeSpec, events: Sequence[Event], final: Mapping[str, Pose]) -> str | None:
        """Besides what may go wrong with one: they did not fall from the same height."""
        reason = super().mishap(spec, events, final)
        if reason is not None:
            return reason
        releases = [find_event(events, "release", name) for name in spec.names]
        heights = [release.position[2] for release in releases if release is not None]
        return "the spheres were not dropped from the same height" if np.ptp(heights) > 0.005 else None
