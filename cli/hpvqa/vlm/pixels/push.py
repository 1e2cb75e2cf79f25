"""How far the cubes were pushed: where they stand in the first frame, and where in the last."""

from __future__ import annotations

import numpy as np

from hpvqa.scene.spec import SIDES, Side
from hpvqa.vlm.pixels.belief import Belief
from hpvqa.vlm.pixels.locate import CLEAREST, find, presence
from hpvqa.vlm.pixels.solid import CUBE
from hpvqa.vlm.pixels.survey import Survey

STEP = 0.005
DISPLACEMENT = np.arange(0, 0.2, STEP).astype(np.float64)
"""Displacements that are thought possible [m]: the gripper itself goes little further."""

_WANDER = np.arange(-4, 5) * STEP
"""The place found first may be off by this much in x and in y [m]."""
_SHARPNESS = 40.0
"""How much likelier a place is that looks wholly like the cube than one that does not at all, as a logarithm."""


def displacements(seen: Survey) -> dict[Side, Belief]:
    """How far each cube that was found went along x [m]."""
    found = {side: _displacement(seen, side) for side in SIDES}
    return {side: belief for side, belief in found.items() if belief is not None}


def _displacement(seen: Survey, side: Side) -> Belief | None:
    place = find(seen.start, seen.end, seen.view, CUBE, side)
    if place is None:
        return None
    # The cube stays on its line, so both places share y: what cameras near the ground cannot see cancels out.
    x, y = np.meshgrid(place[0] + _WANDER, place[1] + _WANDER)
    before = presence(seen.start, seen.end, seen.view, CUBE, x, y)
    reach = len(_WANDER) + len(DISPLACEMENT) - 1
    x, y = np.meshgrid(place[0] + _WANDER[0] + np.arange(reach) * STEP, place[1] + _WANDER)
    after = presence(seen.end, seen.start, seen.view, CUBE, x, y)
    if after.max() < CLEAREST:
        return None
    both = [(before + after[:, i : i + len(_WANDER)]).ravel() for i in range(len(DISPLACEMENT))]
    return Belief.from_log(DISPLACEMENT, np.logaddexp.reduce(_SHARPNESS * np.stack(both), axis=1))
