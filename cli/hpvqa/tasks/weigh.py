"""Lift two cubes softly, one after the other. The heavier one hangs lower, though it may be rougher or smoother."""

from __future__ import annotations

from typing import ClassVar

import numpy as np

from hpvqa.probes.weigh import Weigh
from hpvqa.scene.spec import Color, Thing
from hpvqa.tasks.base import Ranges
from hpvqa.tasks.cubes import cube
from hpvqa.tasks.pair import PairTask
from hpvqa.tasks.ranges import MassRanges

FRICTION = (0.6, 1.0)
"""Drawn for each cube by itself: it tells nothing of the mass. A cube of 5 kg slips out of the gripper below 0.5."""


class WeighTask(PairTask):
    """Two cubes on a spring."""

    name: ClassVar[str] = "weigh"
    task_id: ClassVar[int] = 3
    title: ClassVar[str] = "Weigh two cubes"
    hidden: ClassVar[str] = "mass"
    hidden_range: ClassVar[tuple[float, float]] = (0.5, 5.0)
    unit: ClassVar[str] = "kg"
    question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, which lifted cube looks heavier, the left or the right?"
    )
    value_question: ClassVar[str] = (
        "From the perspective of the robot arm facing forward, how heavy is {thing}, in kilograms?"
    )
    asked_unit: ClassVar[str] = "kg"
    default_fps: ClassVar[int] = 15
    probe: ClassVar[Weigh] = Weigh()
    ranges: ClassVar[type[Ranges]] = MassRanges
    # Heavier cubes slip where friction is least.
    beyond: ClassVar[Ranges] = MassRanges(light_mass=(1.2, 2.0), heavy_mass=(5.1, 5.5))
    rougher: ClassVar[float] = 0.5

    def build(self, name: str, hidden: float, x: float, y: float, color: Color, rng: np.random.Generator) -> Thing:
        """A 5 cm cube of this mass [kg], of any friction."""
        return cube(name, x, y, color, mass=hidden, friction=float(rng.uniform(*FRICTION)))
