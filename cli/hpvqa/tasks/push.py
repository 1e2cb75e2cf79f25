"""Push two cubes forward, one after the other. The lighter one slides further; mass is what cannot be seen."""

from __future__ import annotations

from typing import ClassVar, Literal

import numpy as np

from hpvqa.probes.push import Push
from hpvqa.scene.spec import Color, Thing
from hpvqa.tasks.base import Ranges
from hpvqa.tasks.pair import PairTask
from hpvqa.tasks.ranges import MassRanges

EDGE = 0.05
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
    default_fps: ClassVar[int] = 15
    probe: ClassVar[Push] = Push()
    ranges: ClassVar[type[Ranges]] = MassRanges
    trend: ClassVar[Literal[1, -1]] = -1

    def build(self, name: str, hidden: float, x: float, y: float, color: Color, rng: np.random.Generator) -> Thing:
        """A 5 cm cube of this mass [kg]."""
        return Thing(
            name=name,
            shape="box",
            size=(EDGE, EDGE, EDGE),
            position=(x, y, EDGE / 2),
            mass=hidden,
            friction=FRICTION,
            restitution=0.0,
            color=color,
        )
