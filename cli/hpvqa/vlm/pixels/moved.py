"""How far things went along x: where they stand in the first frame, and where in the last."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.traces import Moved
from hpvqa.scene.spec import Side
from hpvqa.vlm.pixels.belief import Belief
from hpvqa.vlm.pixels.locate import CLEAREST, find, presence
from hpvqa.vlm.pixels.solid import Solid
from hpvqa.vlm.pixels.survey import Survey

STEP = 0.005
_WANDER = np.arange(-4, 5) * STEP
"""The place found first may be off by this much in x and in y [m]."""
_SHARPNESS = 40.0
"""How much likelier a place is that looks wholly like the thing than one that does not at all, as a logarithm."""


def grid(moved: Moved) -> NDArray[np.float64]:
    """Displacements that are thought possible [m]."""
    return np.arange(0, moved.furthest, STEP).astype(np.float64)


def displacements(seen: Survey, moved: Moved, solids: Mapping[Side, Solid]) -> dict[Side, Belief]:
    """How far each thing that was found went along x [m]."""
    values = grid(moved)
    found = {side: _displacement(seen, side, solid, values) for side, solid in solids.items()}
    return {side: belief for side, belief in found.items() if belief is not None}


def _displacement(seen: Survey, side: Side, solid: Solid, values: NDArray[np.float64]) -> Belief | None:
    place = find(seen.start, seen.end, seen.view, solid, side)
    if place is None:
        return None
    # It stays on its line, so both places share y: what cameras near the ground cannot see cancels out.
    x, y = np.meshgrid(place[0] + _WANDER, place[1] + _WANDER)
    before = presence(seen.start, seen.end, seen.view, solid, x, y)
    reach = len(_WANDER) + len(values) - 1
    x, y = np.meshgrid(place[0] + _WANDER[0] + np.arange(reach) * STEP, place[1] + _WANDER)
    after = presence(seen.end, seen.start, seen.view, solid, x, y)
    if after.max() < CLEAREST:
        return None
    both = [(before + after[:, i : i + len(_WANDER)]).ravel() for i in range(len(values))]
    return Belief.from_log(values, np.logaddexp.reduce(_SHARPNESS * np.stack(both), axis=1))
