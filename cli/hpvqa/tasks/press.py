"""Press two plates on springs, one after the other. The softer one goes further down; stiffness cannot be seen."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from pydantic import Field

from hpvqa.probes.press import Press
from hpvqa.scene.randomization import Range
from hpvqa.scene.spec import Color, Thing
from hpvqa.tasks.base import Ranges
from hpvqa.tasks.pair import PairTask
from hpvqa.tasks.ranges import TwoRanges

SIZE = (0.06, 0.06, 0.12)
"""Of base and plate together [m]."""
MASS = 0.1


class PressRanges(TwoRanges):
    """Stiffness of the springs."""

    names: ClassVar[tuple[str, str]] = ("soft_stiffness", "hard_stiffness")

    soft_stiffness: Range = Field(default=(100.0, 200.0), description="Stiffness of the softer spring [N/m].")
    hard_stiffness: Range = Field(default=(1000.0, 2500.0), description="Stiffness of the harder spring [N/m].")


class PressTask(PairTask):
    """Two plates on springs."""

    name: ClassVar[str] = "press"
    task_id: ClassVar[int] = 5
    title: ClassVar[str] = "Press two plates"
    hidden: ClassVar[str] = "stiffness"
    hidden_range: ClassVar[tuple[float, float]] = (100.0, 2500.0)
    unit: ClassVar[str] = "N/m"
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which plate has the stiffer spring, the left or the "
        "right one?"
    )
    value_question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, how stiff is the spring of {thing}, in newtons per "
        "metre?"
    )
    asked_unit: ClassVar[str] = "N/m"
    default_fps: ClassVar[int] = 15
    probe: ClassVar[Press] = Press()
    ranges: ClassVar[type[Ranges]] = PressRanges
    beyond: ClassVar[Ranges] = PressRanges(soft_stiffness=(250.0, 400.0), hard_stiffness=(2800.0, 4000.0))

    def build(self, name: str, hidden: float, x: float, y: float, color: Color, rng: np.random.Generator) -> Thing:
        """A plate on a spring of this stiffness [N/m]."""
        return Thing(
            name=name,
            shape="spring",
            size=SIZE,
            position=(x, y, SIZE[2] / 2),
            mass=MASS,
            friction=0.6,
            restitution=0.0,
            stiffness=hidden,
            color=color,
        )
