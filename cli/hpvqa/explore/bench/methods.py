"""Experiments that can be chosen: a probe, what of a thing it depends on, and what is read from its clip."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.base import Probe
from hpvqa.probes.drop import Drop
from hpvqa.probes.press import Press
from hpvqa.probes.push import Push
from hpvqa.probes.slide import Slide
from hpvqa.probes.turn import Turn
from hpvqa.probes.weigh import Weigh
from hpvqa.scene.spec import Color, Thing, Vec3

Array = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Method:
    """A way to find something out.

    Attributes:
        probe: What the robot does.
        hidden: The property that its trace shows, for whoever measures it in pictures.
        fps: Frame rate of its clip [1/s].
        sentence: What is done, {thing} being the thing.
        told: What was read, {thing} being the thing and {value} the reading.
        law: How it works, for agents.
        scale: What is read is this many times what is measured: in centimetres, or percent.
        step: Readings are this far apart.
        least: The least of them; what would be read as less counts as it.
    """

    probe: Probe
    hidden: str
    fps: float
    sentence: str
    told: str
    law: str
    scale: float = 100.0
    step: float = 0.5
    least: float = 0.0

    @property
    def name(self) -> str:
        """What it is called."""
        return self.probe.name

    def expected(self, thing: Thing) -> float:
        """What should be read of a thing, if nothing were blurred."""
        return self.scale * self.probe.law(thing)

    def value(self, reading: int) -> float:
        """What a reading stands for."""
        return self.least + reading * self.step


METHODS: Mapping[str, Method] = {
    method.name: method
    for method in (
        Method(
            Push(),
            "mass",
            4.0,
            "Push {thing} by a soft spring",
            "{thing} was pushed {value:g} cm",
            "a push by a soft spring moves a cube the less the heavier and the rougher it is",
        ),
        Method(
            Weigh(),
            "mass",
            4.0,
            "Lift {thing} by a soft spring",
            "{thing} was lifted {value:g} cm",
            "a lift by a soft spring raises a cube the less the heavier it is, however rough",
        ),
        Method(
            Drop(),
            "restitution",
            12.0,
            "Lift {thing} and drop it",
            "{thing} bounced up to {value:g} % of the height that it fell from",
            "a sphere that is dropped bounces the higher the bouncier it is",
            step=2.0,
        ),
        Method(
            Slide(),
            "friction",
            4.0,
            "Give {thing} a quick push",
            "{thing} slid {value:g} cm",
            "a quick push by a stiff arm makes a cylinder slide the less far the rougher it is, however heavy",
        ),
        Method(
            Press(),
            "stiffness",
            4.0,
            "Press {thing} down by a soft spring",
            "{thing} was pressed down {value:g} cm",
            "a press by a soft spring lowers a plate the less the stiffer its own spring is",
        ),
        Method(
            Turn(),
            "center_of_mass",
            4.0,
            "Push {thing} across its middle",
            "{thing} was turned by {value:g} degrees counterclockwise, seen from above (less than 0: clockwise)",
            "a push across its middle turns a bar so that the end towards which its mass lies stays behind",
            scale=math.degrees(1.0),
            step=4.0,
            least=-80.0,
        ),
    )
}
"""All experiments, by the name of their probe."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of things, and everything that one of them may be.

    Attributes:
        noun: What a person calls one.
        shape: Its shape.
        size: Its full size along x, y and z [m].
        methods: Names of the experiments that can be made with it.
        levels: The values that each hidden property may have, each alike, whatever the others are.
        usual: Values of the other properties.
    """

    noun: str
    shape: str
    size: Vec3
    methods: tuple[str, ...]
    levels: Mapping[str, tuple[float, ...]]
    usual: Mapping[str, float]

    @cached_property
    def nodes(self) -> list[dict[str, float]]:
        """All combinations of hidden values, the last property changing fastest."""
        return [dict(zip(self.levels, values, strict=True)) for values in product(*self.levels.values())]

    def by(self, first: str, values: Array) -> Array:
        """What is given for each combination, shape (..., nodes), by one property, shape (..., values, all others)."""
        ahead = values.shape[:-1]
        grid = values.reshape(*ahead, *(len(levels) for levels in self.levels.values()))
        grid = np.moveaxis(grid, len(ahead) + list(self.levels).index(first), len(ahead))
        return grid.reshape(*ahead, len(self.levels[first]), -1)

    def thing(self, name: str, x: float, y: float, color: Color, hidden: Mapping[str, float]) -> Thing:
        """One that stands on the table at (x, y) [m], with these hidden values."""
        return Thing.model_validate(
            {
                "name": name,
                "shape": self.shape,
                "size": self.size,
                "position": (x, y, self.size[2] / 2),
                "color": color,
                **self.usual,
                **_fields(hidden),
            }
        )

    def like(self, thing: Thing, hidden: Mapping[str, float]) -> Thing:
        """The same thing with these hidden values."""
        return thing.model_copy(update=_fields(hidden))


def _fields(hidden: Mapping[str, float]) -> dict[str, float | Vec3]:
    """Hidden values as a thing has them: a centre of mass lies along its y axis."""
    return {name: (0.0, value, 0.0) if name == "center_of_mass" else value for name, value in hidden.items()}


_SMALL: Vec3 = (0.05, 0.05, 0.05)


KINDS: Mapping[str, Kind] = {
    kind.noun: kind
    for kind in (
        Kind(
            "cube",
            "box",
            _SMALL,
            (Push.name, Weigh.name),
            {"mass": (1.0, 1.5, 2.0, 2.5, 3.0), "friction": (0.3, 0.4, 0.5, 0.6, 0.7)},
            {"restitution": 0.0},
        ),
        Kind(
            "sphere",
            "sphere",
            _SMALL,
            (Drop.name,),
            {"restitution": (0.3, 0.45, 0.6, 0.75, 0.9)},
            {"mass": 0.1, "friction": 0.9},
        ),
        Kind(
            "cylinder",
            "cylinder",
            _SMALL,
            (Push.name, Slide.name),
            {"mass": (1.0, 1.5, 2.0, 3.0), "friction": (0.2, 0.3, 0.45, 0.7)},
            {"restitution": 0.0},
        ),
        Kind(
            "plate",
            "spring",
            (0.06, 0.06, 0.12),
            (Press.name,),
            {"stiffness": (150.0, 300.0, 600.0, 1200.0, 2400.0)},
            {"mass": 0.1, "friction": 0.6, "restitution": 0.0},
        ),
        Kind(
            "bar",
            "box",
            (0.04, 0.16, 0.04),
            (Turn.name,),
            {"center_of_mass": (-0.03, -0.02, -0.01, 0.01, 0.02, 0.03)},
            {"mass": 1.0, "friction": 0.4, "restitution": 0.0},
        ),
    )
}
"""All kinds of things, by what a person calls one."""
