"""Experiments that can be chosen: a probe, what of a thing it depends on, and what is read from its clip."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.base import Probe
from hpvqa.probes.drop import Drop
from hpvqa.probes.push import Push
from hpvqa.probes.weigh import Weigh
from hpvqa.scene.spec import Color, Thing

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
        step: Readings are rounded to multiples of this.
    """

    probe: Probe
    hidden: str
    fps: float
    sentence: str
    told: str
    law: str
    scale: float = 100.0
    step: float = 0.5

    @property
    def name(self) -> str:
        """What it is called."""
        return self.probe.name

    def expected(self, thing: Thing) -> float:
        """What should be read of a thing, if nothing were blurred."""
        return self.scale * self.probe.law(thing)


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
    )
}
"""All experiments, by the name of their probe."""


@dataclass(frozen=True, eq=False)
class Kind:
    """A kind of things, and everything that one of them may be.

    Attributes:
        noun: What a person calls one.
        shape: Its shape.
        edge: Its full size along x, y and z [m].
        methods: Names of the experiments that can be made with it.
        levels: The values that each hidden property may have, each alike, whatever the others are.
        usual: Values of the other properties.
    """

    noun: str
    shape: str
    edge: float
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
                "size": (self.edge, self.edge, self.edge),
                "position": (x, y, self.edge / 2),
                "color": color,
                **self.usual,
                **hidden,
            }
        )


KINDS: Mapping[str, Kind] = {
    kind.noun: kind
    for kind in (
        Kind(
            "cube",
            "box",
            0.05,
            (Push.name, Weigh.name),
            {"mass": (1.0, 1.5, 2.0, 2.5, 3.0), "friction": (0.3, 0.4, 0.5, 0.6, 0.7)},
            {"restitution": 0.0},
        ),
        Kind(
            "sphere",
            "sphere",
            0.05,
            (Drop.name,),
            {"restitution": (0.3, 0.45, 0.6, 0.75, 0.9)},
            {"mass": 0.1, "friction": 0.9},
        ),
    )
}
"""All kinds of things, by what a person calls one."""
