"""Where an object stands on the table: something that is not painted like the table, with bare table around it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import Side
from hpvqa.vlm.pixels.solid import Solid
from hpvqa.vlm.pixels.table import TABLE_X, TABLE_Y
from hpvqa.vlm.pixels.view import View

Map = NDArray[np.float32]
Grid = NDArray[np.float64]

CLEAREST = 0.3
"""A place that looks less like the object than this does not hold it."""

_LEAST_JUDGED = 0.3
_LEAST_MOVED = 0.2
_NOWHERE = -1.0
_COARSE, _FINE = 0.0125, 0.0025
_MARGIN = 0.05
"""Objects stand at least this far from the table's edge, and from the line between left and right [m]."""


def presence(now: Map, then: Map, view: View, solid: Solid, x: Grid, y: Grid) -> Grid:
    """How much every place looks like it holds the object: from 1, at its best, down to -1.

    Args:
        now: How surely every pixel is not the table, shape (height, width).
        then: The same at another time, when the object is not there.
        view: The camera.
        solid: The object's shape.
        x: Places to look at [m], any shape.
        y: The same.
    """
    center = np.stack([x, y, np.full_like(x, solid.height)], axis=-1)[..., None, :]
    inside = _read(np.stack([now, now * (1 - then)], axis=-1), view, center + solid.inside)
    around = _read(now, view, center + solid.around)
    around[_hits(view, center + solid.around, center, solid.radius)] = np.nan
    judged = np.isfinite(inside[..., 0]).mean(axis=-1)
    covered, moved = _mean(inside[..., 0]), _mean(inside[..., 1])
    score = covered - _mean(around)
    return np.where((judged >= _LEAST_JUDGED) & (moved > _LEAST_MOVED) & np.isfinite(score), score, _NOWHERE)


def find(now: Map, then: Map, view: View, solid: Solid, side: Side) -> tuple[float, float] | None:
    """The place (x, y) [m] on one side of the robot that looks most like it holds the object; None if none does."""
    near, far = _MARGIN, TABLE_Y[1] - _MARGIN
    reach = np.arange(near, far, _COARSE) * (1 if side == "left" else -1)
    x, y = np.meshgrid(np.arange(TABLE_X[0] + _MARGIN, TABLE_X[1] - _MARGIN, _COARSE), reach)
    for step in (_COARSE, _FINE):
        score = presence(now, then, view, solid, x, y)
        best = score.argmax()
        place = float(x.flat[best]), float(y.flat[best])
        around = np.arange(-_COARSE, _COARSE + step / 2, _FINE)
        x, y = np.meshgrid(place[0] + around, place[1] + around)
    return place if score.max() >= CLEAREST else None


def _mean(values: Map) -> Grid:
    with np.errstate(invalid="ignore"):
        return np.asarray(np.nansum(values, axis=-1) / np.isfinite(values).sum(axis=-1), float)


def _read(image: Map, view: View, points: Grid) -> Map:
    """Values at points that have the table behind them; NaN elsewhere, for what is behind is not known there."""
    values = view.samples(points).read(image)
    sight = points - view.position
    with np.errstate(divide="ignore", invalid="ignore"):
        x, y = (view.position[i] - sight[..., i] * view.position[2] / sight[..., 2] for i in (0, 1))
    on_table = (x > TABLE_X[0]) & (x < TABLE_X[1]) & (y > TABLE_Y[0]) & (y < TABLE_Y[1])
    values[~(on_table & (sight[..., 2] < 0))] = np.nan
    return values


def _hits(view: View, points: Grid, center: Grid, radius: float) -> NDArray[np.bool_]:
    """Which lines of sight through ``points`` hit a ball around ``center``."""
    sight = points - view.position
    to_center = center - view.position
    along = np.einsum("...i,...i->...", to_center, sight) / np.linalg.norm(sight, axis=-1)
    return np.asarray(np.einsum("...i,...i->...", to_center, to_center) - along**2 < radius**2, bool)
