"""The shapes that are looked for: points inside one that stands on the table, and on the bare table around it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import Thing

HALF = 0.025
"""Half of the size of a thing whose path is measured [m]: rulers are made for it."""

_STEPS = 5
_SHELL_STEPS = 4
_SHELL = 1.5


@dataclass(frozen=True)
class Solid:
    """A thing on the table.

    Attributes:
        inside: Points inside it, relative to its centre, shape (n, 3) [m].
        around: Points on a larger shell around it, relative to its centre, shape (m, 3) [m].
        radius: Radius of a ball that looks about as large [m].
        height: Of its centre above the table [m].
    """

    inside: NDArray[np.float64]
    around: NDArray[np.float64]
    radius: float
    height: float

    @classmethod
    def of(cls, thing: Thing) -> Solid:
        """The shape of a thing that stands upright."""
        half = np.array(thing.size) / 2
        rounded = thing.shape == "sphere"
        inside, around = _lattice(_STEPS, 0.9), _lattice(_SHELL_STEPS, 1.0)
        around = around[np.abs(around).max(axis=1) == 1.0]
        if rounded:
            inside = inside[np.linalg.norm(inside, axis=1) <= 1]
            around /= np.linalg.norm(around, axis=1, keepdims=True)
        return cls(inside * half, around * _SHELL * half, half.max() * (1.1 if rounded else 1.35), thing.half_height)


def _lattice(steps: int, reach: float) -> NDArray[np.float64]:
    ticks = np.linspace(-reach, reach, steps)
    return np.stack(np.meshgrid(ticks, ticks, ticks), axis=-1).reshape(-1, 3)
