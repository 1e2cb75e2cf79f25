"""Push a bar across its middle. Its heavier end stays behind; where its mass lies cannot be seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from typing import ClassVar, Self

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, model_validator

from hpvqa.probes.events import Event, Pose
from hpvqa.probes.turn import Turn
from hpvqa.scene.randomization import Range
from hpvqa.scene.sampling import Drawn
from hpvqa.scene.spec import Color, EpisodeSpec, Side, Thing
from hpvqa.tasks.base import Ranges, Task
from hpvqa.tasks.outcome import Measurement
from hpvqa.tasks.pair import GREY, START_X

SIZE = (0.04, 0.24, 0.04)
"""Of the bar, whose ends point left and right [m]."""
MASS = 1.0
FRICTION = 0.4
_STEPS = 201


class BalanceRanges(Ranges):
    """How far from the bar's middle its mass lies."""

    offset: Range = Field(
        default=(0.02, 0.04), description="Distance of the centre of mass from the middle, towards either end [m]."
    )

    @model_validator(mode="after")
    def _inside_the_bar(self) -> Self:
        low, high = self.offset
        if low <= 0 or high >= SIZE[1] / 2:
            raise ValueError(
                f"the centre of mass lies in the bar, but not in its middle: between 0 and {SIZE[1] / 2} m"
            )
        return self

    def draw_hidden(self, rng: np.random.Generator) -> tuple[float, float]:
        """The same offset towards the right (negative) and towards the left."""
        offset = float(rng.uniform(*self.offset))
        return -offset, offset

    def possible(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
        """One and the same offset to either side."""
        return np.asarray((low == -high) & (high >= self.offset[0]) & (high <= self.offset[1]), bool)


class BalanceTask(Task):
    """One bar with a heavier end."""

    name: ClassVar[str] = "balance"
    task_id: ClassVar[int] = 6
    title: ClassVar[str] = "Balance a bar"
    hidden: ClassVar[str] = "center_of_mass"
    hidden_range: ClassVar[tuple[float, float]] = (-0.04, 0.04)
    unit: ClassVar[str] = "m"
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which end of the bar looks heavier, the left or the "
        "right one?"
    )
    value_question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, how many centimetres does the centre of mass of {thing} "
        "lie from its middle, counted as positive towards its left end and as negative towards its right end?"
    )
    asked_unit: ClassVar[str] = "cm"
    asked_scale: ClassVar[float] = 100.0
    default_fps: ClassVar[int] = 15
    probe: ClassVar[Turn] = Turn()
    ranges: ClassVar[type[Ranges]] = BalanceRanges
    beyond: ClassVar[Ranges] = BalanceRanges(offset=(0.012, 0.018))
    rougher: ClassVar[float] = 0.3

    @cached_property
    def grid(self) -> NDArray[np.float64]:
        """Offsets to the right, then to the left."""
        offsets = np.linspace(*BalanceRanges().offset, _STEPS)
        return np.concatenate((-offsets[::-1], offsets))

    def things(self, drawn: Drawn) -> tuple[Thing, ...]:
        """The bar, across the robot's way."""
        dx, dy = drawn.jitter[0]
        offset = drawn.high if drawn.larger == "left" else drawn.low
        return (_bar(offset, START_X + dx, dy, drawn.colors[0]),)

    def examples(self) -> tuple[Thing, ...]:
        """An even bar."""
        return (_bar(0.0, START_X, 0.0, GREY),)

    def order(self, drawn: Drawn) -> tuple[str, ...]:
        """There is only one."""
        return ("bar",)

    def answer(self, spec: EpisodeSpec) -> Side:
        """The end towards which the centre of mass lies."""
        return "left" if self.hidden_value(spec, "bar") > 0 else "right"

    def answer_from(self, measurement: Measurement) -> Side:
        """The end that stayed behind."""
        return "left" if measurement.of("bar") > 0 else "right"

    def gap(self, spec: EpisodeSpec) -> float:
        """How far the centre of mass lies from the middle [m]."""
        return abs(self.hidden_value(spec, "bar"))

    def words_for(self, value: float) -> str:
        """How far, and towards which end."""
        return f"{100 * abs(value):.1f} cm {'left' if value > 0 else 'right'}"

    def log_odds(
        self, spec: EpisodeSpec, events: Sequence[Event], times: Sequence[float], places: Mapping[str, Sequence[Pose]]
    ) -> float:
        """By Bayes' rule over all offsets that are drawn by default."""
        offsets = np.linspace(*BalanceRanges().offset, _STEPS)
        left, right = (
            self.log_likelihood(spec, "bar", sign * offsets, events, times, places["bar"]) for sign in (1, -1)
        )
        return float(np.logaddexp.reduce(left) - np.logaddexp.reduce(right))


def _bar(offset: float, x: float, y: float, color: Color) -> Thing:
    return Thing(
        name="bar",
        shape="box",
        size=SIZE,
        position=(x, y, SIZE[2] / 2),
        mass=MASS,
        center_of_mass=(0.0, offset, 0.0),
        friction=FRICTION,
        restitution=0.0,
        color=color,
    )
