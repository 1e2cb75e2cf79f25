"""The shapes that are looked for: points inside one that stands on the table, and on the bare table around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

HALF = 0.025
"""Half the edge of a cube, and the radius of a sphere [m]."""

_STEPS = 5
_SHELL_STEPS = 4
_SHELL = 1.5


@dataclass(frozen=True)
class Solid:
    """A cube or a sphere on the table.

    Attributes:
        inside: Points inside it, relative to its centre, shape (n, 3) [m].
        around: Points on a larger shell around it, relative to its centre, shape (m, 3) [m].
        radius: Radius of a ball that looks about as large [m].
    """

    inside: NDArray[np.float64]
    around: NDArray[np.float64]
    radius: float


def _lattice(steps: int, reach: float) -> NDArray[np.float64]:
    ticks = np.linspace(-reach, reach, steps)
    return np.stack(np.meshgrid(ticks, ticks, ticks), axis=-1).reshape(-1, 3)


def _solid(shape: Literal["cube", "sphere"]) -> Solid:
    inside, around = _lattice(_STEPS, 0.9), _lattice(_SHELL_STEPS, 1.0)
    around = around[np.abs(around).max(axis=1) == 1.0]
    if shape == "sphere":
        inside = inside[np.linalg.norm(inside, axis=1) <= 1]
        around /= np.linalg.norm(around, axis=1, keepdims=True)
    return Solid(inside * HALF, around * _SHELL * HALF, HALF * (1.35 if shape == "cube" else 1.1))


CUBE = _solid("cube")
SPHERE = _solid("sphere")
