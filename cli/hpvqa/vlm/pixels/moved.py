"""How far things went along x, or turned: how they stand in the first frame, and how in the last."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.distribution import Distribution
from hpvqa.probes.traces import Moved, Turned
from hpvqa.vlm.pixels.locate import CLEAREST, Solid, find, presence
from hpvqa.vlm.pixels.table import Survey

_WANDER = np.arange(-4, 5)
"""The place found first may be off by this many steps of the displacement in x and in y."""
_PACE = 0.01
"""Grid of places where a turned thing may stand [m]."""
_SHARPNESS = 40.0
"""How much likelier a place is that looks wholly like the thing than one that does not at all, as a logarithm."""


def displacement(seen: Survey, moved: Moved, solid: Solid) -> Distribution | None:
    """How far a thing went along x [m]; None where it is not found."""
    place = find(seen.start, seen.end, seen.view, solid)
    if place is None:
        return None
    # It stays on its line, so both places share y: what cameras near the ground cannot see cancels out.
    step = moved.values[1]
    wander = _WANDER * step
    x, y = np.meshgrid(place[0] + wander, place[1] + wander)
    before = presence(seen.start, seen.end, seen.view, solid, x, y)
    reach = len(wander) + len(moved.values) - 1
    x, y = np.meshgrid(place[0] + wander[0] + np.arange(reach) * step, place[1] + wander)
    after = presence(seen.end, seen.start, seen.view, solid, x, y)
    both = [(before + after[:, i : i + len(wander)]).ravel() for i in range(len(moved.values))]
    return _belief(moved.values, np.stack(both)) if after.max() >= CLEAREST else None


def turn(seen: Survey, turned: Turned, solid: Solid) -> Distribution | None:
    """By how much a thing is turned at the end [rad]; None where it is not found."""
    place = find(seen.start, seen.end, seen.view, solid)
    if place is None:
        return None
    x, y = np.meshgrid(
        place[0] + np.arange(-_PACE, turned.forward + _PACE / 2, _PACE),
        place[1] + np.arange(-turned.sideways, turned.sideways + _PACE / 2, _PACE),
    )
    after = np.stack(
        [presence(seen.end, seen.start, seen.view, solid.turned(yaw), x, y).ravel() for yaw in turned.values]
    )
    return _belief(turned.values, after) if after.max() >= CLEAREST else None


def _belief(values: NDArray[np.float64], scores: NDArray[np.float64]) -> Distribution:
    """What scores of places say, shape (values, places)."""
    return Distribution.from_log(values, np.logaddexp.reduce(_SHARPNESS * scores, axis=1))
