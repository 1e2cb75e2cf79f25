"""Push two cubes forward, one after the other. The lighter one slides further; mass is what cannot be seen."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hpvqa.probes.push import Push
from hpvqa.scene.spec import Color, Thing
from hpvqa.tasks.base import Ranges
from hpvqa.tasks.cubes import cube
from hpvqa.tasks.pair import PairTask
from hpvqa.tasks.ranges import MassRanges

FRICTION = 0.4


class PushTask(PairTask):
    """The paper's cube pushing task."""

    name: ClassVar[str] = "push"
    task_id: ClassVar[int] = 1
    title: ClassVar[str] = "Push two cubes"
    hidden: ClassVar[str] = "mass"
    hidden_range: ClassVar[tuple[float, float]] = (0.5, 5.0)
    unit: ClassVar[str] = "kg"
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which cube looks heavier, the left one or the right one?"
    )
    value_question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, how heavy is {thing}, in kilograms?"
    )
    asked_unit: ClassVar[str] = "kg"
    default_fps: ClassVar[int] = 15
    probe: ClassVar[Push] = Push()
    ranges: ClassVar[type[Ranges]] = MassRanges
    beyond: ClassVar[Ranges] = MassRanges(light_mass=(1.2, 2.0), heavy_mass=(5.1, 6.5))
    rougher: ClassVar[float] = 0.2

    def build(self, name: str, hidden: float, x: float, y: float, color: Color, rng: np.random.Generator) -> Thing:
        """A 5 cm cube of this mass [kg]."""
        return cube(name, x, y, color, mass=hidden, friction=FRICTION)
