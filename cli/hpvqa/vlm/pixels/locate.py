"""Where a thing stands on the table: something that is not painted like the table, with bare table around it."""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import Thing
from hpvqa.vlm.pixels.table import TABLE_X, TABLE_Y
from hpvqa.vlm.pixels.view import View

Map = NDArray[np.float32]
Grid = NDArray[np.float64]

CLEAREST = 0.3
"""A place that looks less like the thing than this does not hold it."""

_FAINTEST = 0.1
"""The same for what never leaves, which may be painted almost like the table."""
_NEAR = 0.05
"""What never leaves stands no further than this from where such things start, in x and in y [m]."""
_LEAST_JUDGED = 0.3
_LEAST_MOVED = 0.2
_NOWHERE = -1.0
_COARSE, _FINE = 0.0125, 0.0025
_MARGIN = 0.05
"""Things stand at least this far from the table's edge, and from the line between left and right [m]."""
_STEPS = 5
_SHELL_STEPS = 4
_PITCH = 0.02
"""Points along a side are no further apart than about this [m]."""
_SHELL = 1.5


@dataclass(frozen=True)
class Solid:
    """A thing on the table.

    Attributes:
        inside: Points inside it, relative to its centre, shape (n, 3) [m].
        around: Points on a larger shell around it, relative to its centre, shape (m, 3) [m].
        unit: Takes what is relative to its centre [m] to where it is about a ball of radius ``bulk``, shape (3, 3).
        bulk: That radius: a ball that looks about as large.
        height: Of its centre above the table [m].
        home: About where it starts, (x, y) [m].
    """

    inside: Grid
    around: Grid
    unit: Grid
    bulk: float
    height: float
    home: tuple[float, float]

    @classmethod
    def of(cls, thing: Thing, base: tuple[float, float, float] | None = None) -> Solid:
        """The shape of a thing that stands upright, or of its ``base`` alone, of this full size [m]."""
        half = np.array(base or thing.size) / 2
        rounded = thing.shape == "sphere"
        inside, around = _lattice(_STEPS, half, 0.9), _lattice(_SHELL_STEPS, half, 1.0)
        around = around[np.abs(around).max(axis=1) == 1.0]
        if rounded:
            inside = inside[np.linalg.norm(inside, axis=1) <= 1]
            around /= np.linalg.norm(around, axis=1, keepdims=True)
        bulk = 1.1 if rounded else 1.35
        return cls(inside * half, around * _SHELL * half, np.diag(1 / half), bulk, half[2], thing.position[:2])

    def turned(self, yaw: float) -> Solid:
        """The same thing, turned about the vertical, seen from above counterclockwise [rad]."""
        c, s = math.cos(yaw), math.sin(yaw)
        back = np.array([[c, s, 0.0], [-s, c, 0.0], [0.0, 0.0, 1.0]])
        return replace(self, inside=self.inside @ back, around=self.around @ back, unit=back.T @ self.unit)


def presence(now: Map, then: Map | None, view: View, solid: Solid, x: Grid, y: Grid) -> Grid:
    """How much every place looks like it holds the thing: from 1, at its best, down to -1.

    Args:
        now: How surely every pixel is not the table, shape (height, width).
        then: The same at another time, when the thing is not there; None if it never leaves.
        view: The camera.
        solid: The thing's shape.
        x: Places to look at [m], any shape.
        y: The same.
    """
    center = np.stack([x, y, np.full_like(x, solid.height)], axis=-1)[..., None, :]
    inside = _read(np.stack([now, now if then is None else now * (1 - then)], axis=-1), view, center + solid.inside)
    around = _read(now, view, center + solid.around)
    around[_hits(view, center, solid)] = np.nan
    judged = np.isfinite(inside[..., 0]).mean(axis=-1)
    covered, moved = _mean(inside[..., 0]), _mean(inside[..., 1])
    score = covered - _mean(around)
    enough = (judged >= _LEAST_JUDGED) & (moved > (_LEAST_MOVED if then is not None else 0.0))
    return np.where(enough & np.isfinite(score), score, _NOWHERE)


def find(now: Map, then: Map | None, view: View, solid: Solid) -> tuple[float, float] | None:
    """The place (x, y) [m] that looks most like it holds the thing; None if none does.

    It is looked for on its side of the robot, or, if it never leaves, so that all that stands still may look like it,
    near the place where such a thing starts.
    """
    if then is None:
        near = np.arange(-_NEAR, _NEAR + _FINE, _COARSE)
        x, y = np.meshgrid(solid.home[0] + near, solid.home[1] + near)
    else:
        x, y = np.meshgrid(np.arange(TABLE_X[0] + _MARGIN, TABLE_X[1] - _MARGIN, _COARSE), _across(solid.home[1]))
    for step in (_COARSE, _FINE):
        score = presence(now, then, view, solid, x, y)
        best = score.argmax()
        place = float(x.flat[best]), float(y.flat[best])
        around = np.arange(-_COARSE, _COARSE + step / 2, _FINE)
        x, y = np.meshgrid(place[0] + around, place[1] + around)
    return place if score.max() >= (_FAINTEST if then is None else CLEAREST) else None


def _across(y: float) -> Grid:
    """Where along y things may stand that start about there [m]: to the left, to the right, or in the middle."""
    if y == 0:
        return np.arange(-_MARGIN, _MARGIN + _FINE, _COARSE, np.float64)
    return np.arange(_MARGIN, TABLE_Y[1] - _MARGIN, _COARSE, np.float64) * (1 if y > 0 else -1)


def _lattice(steps: int, half: Grid, reach: float) -> Grid:
    """Points in a cube from -reach to reach, at least so many along each side, more along long sides, shape (n, 3)."""
    counts = [max(steps, round(2 * length / _PITCH)) for length in half]
    ticks = [np.linspace(-reach, reach, count) for count in counts]
    return np.stack(np.meshgrid(*ticks), axis=-1).reshape(-1, 3)


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


def _hits(view: View, center: Grid, solid: Solid) -> NDArray[np.bool_]:
    """Which lines of sight through the shell around ``center`` hit the thing there."""
    sight = (center + solid.around - view.position) @ solid.unit
    to_center = (center - view.position) @ solid.unit
    along = np.einsum("...i,...i->...", to_center, sight) / np.linalg.norm(sight, axis=-1)
    return np.asarray(np.einsum("...i,...i->...", to_center, to_center) - along**2 < solid.bulk**2, bool)
