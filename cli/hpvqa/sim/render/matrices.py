"""The matrices that OpenGL draws with."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]


def perspective(x: float, y: float, span: tuple[float, float]) -> Array:
    """Projection of a camera that looks along its -z.

    Args:
        x: One over the tangent of half its horizontal field of view.
        y: The same vertically.
        span: Nearest and furthest distance [m].
    """
    near, far = span
    a, b = (far + near) / (near - far), 2 * far * near / (near - far)
    return np.array([[x, 0, 0, 0], [0, y, 0, 0], [0, 0, a, b], [0, 0, -1, 0]])


def world_to(position: ArrayLike, turned: Array) -> Array:
    """From the world into a frame at ``position`` [m] with the axes ``turned``, shape (3, 3)."""
    result = np.eye(4)
    result[:3, :3] = turned.T
    result[:3, 3] = -turned.T @ np.asarray(position, float)
    return result
