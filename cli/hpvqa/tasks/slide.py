"""Push two cubes of one mass forward, one after the other. The rougher one goes less far; friction cannot be seen."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from hpvqa.probes.push import Push
from hpvqa.scene.randomization import Range
from hpvqa.scene.spec import Color, Thing
from hpvqa.tasks.base import Ranges
from hpvqa.tasks.cubes import cube
from hpvqa.tasks.pair import PairTask
from hpvqa.tasks.ranges import TwoRanges

MASS = 2.5
"""[kg] Lighter cubes on rough ground tip over the finger tips."""


class SlideRanges(TwoRanges):
    """Friction of the cubes with the table."""

    names: ClassVar[tuple[str, str]] = ("low_friction", "high_friction")

    low_friction: Range = Field(default=(0.1, 0.25), description="Coefficient of friction of the smoother cube.")
    high_friction: Range = Field(default=(0.5, 0.7), description="Coefficient of friction of the rougher cube.")


class SlideTask(PairTask):
    """Two cubes that differ by their friction alone."""

    name: ClassVar[str] = "slide"
    task_id: ClassVar[int] = 4
    title: ClassVar[str] = "Slide two cubes"
    hidden: ClassVar[str] = "friction"
    hidden_range: ClassVar[tuple[float, float]] = (0.1, 0.7)
    unit: ClassVar[str] = ""
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which cube has more friction, the left or the right one?"
    )
    value_question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, what is the coefficient of friction between {thing} and "
        "the table?"
    )
    asked_unit: ClassVar[str] = ""
    default_fps: ClassVar[int] = 15
    probe: ClassVar[Push] = Push()
    ranges: ClassVar[type[Ranges]] = SlideRanges
    beyond: ClassVar[Ranges] = SlideRanges(low_friction=(0.05, 0.09), high_friction=(0.3, 0.45))

    def build(self, name: str, hidden: float, x: float, y: float, color: Color, rng: np.random.Generator) -> Thing:
        """A 5 cm cube with this friction."""
        return cube(name, x, y, color, mass=MASS, friction=hidden)
