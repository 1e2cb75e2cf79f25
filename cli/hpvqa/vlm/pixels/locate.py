"""Where an object stands on the table: something that is not painted like the table, with bare table around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hpvqa.vlm.pixels.solid import HALF, Solid
from hpvqa.vlm.pixels.table import TABLE_X, TABLE_Y
from hpvqa.vlm.pixels.view import View

LEAST = 0.3


def presence(
    hidden: NDArray[np.float32], view: View, solid: Solid, x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.float64]:
    """How much every place looks like it holds the object: from 1, at its best, down to -1.

    Args:
        hidden: How surely every pixel hides the table, shape (height, width).
        view: The camera.
        solid: The object's shape.
        x: Places to look at [m], any shape.
        y: The same.
    """
    center = np.stack([x, y, np.full_like(x, HALF)], axis=-1)[..., None, :]
    inside = _read(hidden, view, center + solid.inside)
    points = center + solid.around
    around = _read(hidden, view, points)
    around[_behind(points, center, view, solid.hides)] = np.nan
    judged = np.isfinite(inside).mean(axis=-1)
    score = _mean(inside) - _mean(around)
    return np.where((judged >= LEAST) & np.isfinite(score), score, -1.0)


def _mean(values: NDArray[np.float32]) -> NDArray[np.float64]:
    with np.errstate(invalid="ignore"):
        return np.nansum(values, axis=-1) / np.isfinite(values).sum(axis=-1)


def _read(hidden: NDArray[np.float32], view: View, points: NDArray[np.float64]) -> NDArray[np.float32]:
    """Values at points that have the table behind them; NaN elsewhere, for what is behind is not known there."""
    values = view.samples(points).read(hidden)
    sight = points - view.position
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = (view.position[i] - sight[..., i] * view.position[2] / sight[..., 2] for i in (0, 1))
    values[~((sight[..., 2] < 0) & (x > TABLE_X[0]) & (x < TABLE_X[1]) & (y > TABLE_Y[0]) & (y < TABLE_Y[1]))] = np.nan
    return values


def _behind(
    points: NDArray[np.float64], center: NDArray[np.float64], view: View, radius: float
) -> NDArray[np.bool_]:
    """Which points are hidden by a ball around ``center``."""
    sight = view.position - points
    to_center = center - points
    along = np.einsum("...i,...i->...", to_center, sight) / np.linalg.norm(sight, axis=-1)
    return (along > 0) & (np.einsum("...i,...i->...", to_center, to_center) - along**2 < radius**2)
