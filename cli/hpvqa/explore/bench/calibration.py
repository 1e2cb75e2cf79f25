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

    clips: int = Field(description="How many clips were read.")
    bias: float = Field(description="What was read, less what was expected, on average.")
    sharpness: Sharpness


class Calibration(Model):
    """All figures, and how they were made."""

    command: str
    versions: dict[str, str]
    expected: dict[str, tuple[float, ...]] = Field(
        description="What is read of each combination of hidden values where no law is close enough, by method: means "
        "of simulated experiments."
    )
    read: dict[str, dict[str, Read]] = Field(description="By method, and by the place of the viewer.")


@cache
def calibration() -> Calibration:
    """The figures that come with the package."""
    return Calibration.model_validate(parse_json((files(__package__) / "calibration.json").read_bytes()))


@cache
def expected(method: Method, kind: Kind) -> NDArray[np.float64]:
    """What should be read of each combination of hidden values, in the order of the kind's nodes."""
    table = calibration().expected.get(method.name)
    if table is None:
        table = tuple(method.expected(kind.thing("thing", 0.4, 0.0, (0.5, 0.5, 0.5), node)) for node in kind.nodes)
    return np.array(table)
