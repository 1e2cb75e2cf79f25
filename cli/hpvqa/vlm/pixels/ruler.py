"""An upright ruler behind an object: the part of each frame where it can be while it is lifted, falls and bounces."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from hpvqa.vlm.pixels.solid import HALF
from hpvqa.vlm.pixels.view import Samples, View

STEP = HALF / 6
"""Pitch of the ruler [m]."""
DISC = 5
"""Radius of what is compared, in steps: a little less than the sphere."""
DRIFT = 2
"""The sphere may wander sideways by this many steps."""
TOP = 0.36
"""The sphere's centre stays below this height [m]."""
DIFFERENT = 35.0
"""Colours this far apart are simply different [grey levels]."""

OFFSETS = [(i, j) for i in range(2 * DISC + 1) for j in range(2 * DISC + 1) if math.hypot(i - DISC, j - DISC) <= DISC]
"""The steps within the disc, from its lower left corner."""
HEIGHTS = np.arange(HALF, TOP, STEP)
"""Heights of the sphere's centre that are compared [m]."""


Strip = NDArray[np.float32]


def ruler(view: View, x: float, y: float) -> Samples:
    """Points on an upright plane through (x, y) [m] that faces the camera, shape (heights, sideways)."""
    sight = np.array([x, y, HALF]) - view.position
    sideways = np.cross(sight, [0.0, 0.0, 1.0])
    if np.linalg.norm(sideways) < 0.1 * np.linalg.norm(sight):
        sideways = view.axes[:, 0]
    sideways /= np.linalg.norm(sideways)
    reach = DISC + DRIFT
    across = np.arange(-reach, reach + 1) * STEP
    up = np.arange(-DISC, len(HEIGHTS) + DISC) * STEP + HALF
    points = np.array([x, y, 0.0]) + up[:, None, None] * [0.0, 0.0, 1.0] + across[None, :, None] * sideways
    return view.samples(points)


def at_rest(strip: Strip) -> Strip:
    """The sphere's surroundings when it rests, from what the ruler shows, shape (2 DISC + 1, 2 DISC + 1, 3)."""
    return strip[: 2 * DISC + 1, DRIFT : DRIFT + 2 * DISC + 1]


def likeness(strips: Strip, look: Strip) -> NDArray[np.float32]:
    """How much every height looks like the sphere.

    Args:
        strips: What the ruler shows in each frame, shape (frames, heights + 2 DISC, 2 (DISC + DRIFT) + 1, 3).
        look: What the sphere looks like, as from `at_rest`.

    Returns:
        From 0 to 1, shape (frames, heights).
    """
    count = len(HEIGHTS)
    total = np.zeros((len(strips), count, 2 * DRIFT + 1), np.float32)
    for i, j in OFFSETS:
        part = strips[:, i : i + count, j : j + 2 * DRIFT + 1]
        difference = np.abs(part - look[i, j]).mean(axis=-1)
        total += np.where(np.isfinite(difference), np.minimum(difference, DIFFERENT), DIFFERENT)
    return np.asarray(1 - total.min(axis=-1) / (DIFFERENT * len(OFFSETS)), np.float32)
