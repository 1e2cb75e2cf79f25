"""The shapes that are looked for: points inside one that stands on the table, and on the bare table around it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

HALF = 0.025
"""Half the edge of a cube, and the radius of a sphere [m]."""

_STEPS = 5
_AROUND = 16
_RINGS = (1.25, 1.75)


@dataclass(frozen=True)
class Solid:
    """A cube or a sphere on the table.

    Attributes:
        inside: Points inside it, relative to its centre, shape (n, 3) [m].
        around: Points on the table around it, relative to its centre, shape (m, 3) [m].
        hides: Radius of a ball that hides about as much of the table behind it [m].
    """

    inside: NDArray[np.float64]
    around: NDArray[np.float64]
    hides: float


def _solid(shape: Literal["cube", "sphere"]) -> Solid:
    steps = np.linspace(-0.9, 0.9, _STEPS)
    inside = np.stack(np.meshgrid(steps, steps, steps), axis=-1).reshape(-1, 3)
    angle = np.linspace(0, 2 * np.pi, _AROUND, endpoint=False)
    ring = np.stack([np.cos(angle), np.sin(angle), np.zeros_like(angle)], axis=-1)
    if shape == "sphere":
        inside = inside[np.linalg.norm(inside, axis=1) <= 1]
    else:
        ring /= np.abs(ring).max(axis=1, keepdims=True)
    around = np.concatenate([ring * size for size in _RINGS]) - [0, 0, 1]
    return Solid(inside * HALF, around * HALF, HALF * (1.3 if shape == "cube" else 1.0))


CUBE = _solid("cube")
SPHERE = _solid("sphere")
