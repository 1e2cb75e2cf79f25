"""What experiments show, and how sharply it is read from each view: figures that ``python -m research.bench`` makes."""

from __future__ import annotations

from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hpvqa.explore.bench.methods import Kind, Method
from hpvqa.explore.bench.spec import Sharpness
from hpvqa.plain import Model, parse_json


class Read(Model):
    """How well an experiment was read from a place."""

    errors: tuple[float | None, ...] = Field(
        description="What was read of each clip, less what was expected; null: nothing could be made out."
    )
    bias: float = Field(description="Their mean, without those that are far off.")
    sharpness: Sharpness


class Figures(Model):
    """All figures of one method with one kind of things, and how they were made."""

    command: str
    versions: dict[str, str]
    expected: tuple[float, ...] | None = Field(
        description="What is read of each combination of hidden values: means of simulated experiments; null where the "
        "probe's law is close enough."
    )
    read: dict[str, Read] = Field(description="How well it is read, by the place of the viewer.")


class Calibration(Model):
    """The figures of all methods with all kinds of things that they can be made with: by both names."""

    methods: dict[str, Figures]


def key(method: str, noun: str) -> str:
    """What the figures of a method with a kind of things are called."""
    return f"{method} {noun}"


@cache
def figures(method: str, noun: str) -> Figures:
    """The figures of a method with a kind of things that come with the package."""
    text = (files(__package__) / "calibration.json").read_bytes()
    return Calibration.model_validate(parse_json(text)).methods[key(method, noun)]


@cache
def expected(method: Method, kind: Kind) -> NDArray[np.float64]:
    """What should be read of each combination of hidden values, in the order of the kind's nodes."""
    table = figures(method.name, kind.noun).expected
    if table is None:
        table = tuple(method.expected(kind.thing("thing", 0.4, 0.0, (0.5, 0.5, 0.5), node)) for node in kind.nodes)
    return np.array(table)
