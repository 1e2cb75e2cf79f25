"""How a dropped sphere moves, and which coefficient of restitution explains best what was seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hpvqa.vlm.pixels.ruler import HEIGHTS, STEP

GRAVITY = 9.81
DROP = 0.3
HELD = 0.25
"""The sphere is held still at the top for this long before its release [s]."""
WATCHED = 2.0
"""It is watched for this long after its release [s]."""
TICK = 1 / 120
"""Grid of release times, and of time since the release [s]."""
RESTITUTION = np.linspace(0, 1, 101)


def height(restitution: NDArray[np.float64], time: NDArray[np.float64]) -> NDArray[np.float64]:
    """Height of the sphere's lowest point [m], shape (e, t).

    Args:
        restitution: Coefficients of restitution, shape (e,).
        time: Time since the release [s], shape (t,).
    """
    e = np.clip(restitution, 1e-6, 1 - 1e-6)[:, None]
    fall = np.sqrt(2 * DROP / GRAVITY)
    since = np.maximum(time - fall, 0)
    # Bounce n = 0, 1, ... lasts 2 e^(n+1) T, so it starts 2 e T (1 - e^n) / (1 - e) after the first impact.
    left = 1 - since * (1 - e) / (2 * e * fall)
    bounce = np.floor(np.log(np.maximum(left, 1e-12)) / np.log(e) + 1e-9)
    elapsed = since - 2 * e * fall * (1 - e**bounce) / (1 - e)
    speed = GRAVITY * fall * e ** (bounce + 1)
    flight = np.where(left > 1e-9, speed * elapsed - GRAVITY / 2 * elapsed**2, 0)
    falling = DROP - GRAVITY / 2 * np.maximum(time, 0) ** 2
    height: NDArray[np.float64] = np.maximum(np.where(time < fall, falling, flight), 0)
    return height


def support(alike: NDArray[np.float32], times: NDArray[np.float64]) -> NDArray[np.float64]:
    """How much the frames speak for every release time and coefficient of restitution.

    Args:
        alike: How much every height looks like the sphere, shape (frames, heights).
        times: When the frames were taken [s], shape (frames,).

    Returns:
        Shape (release times, coefficients), in frames.
    """
    # What counts is how much better a height looks than the place of rest: a sphere that never left proves nothing.
    better = alike - alike[:, :1]
    ticks = np.arange(-round(HELD / TICK), round(WATCHED / TICK) + 1)
    path = height(RESTITUTION, np.asarray(ticks * TICK, float))
    rows = np.minimum(np.rint(path / STEP).astype(int), len(HEIGHTS) - 1)
    releases = np.arange(0, times[-1] + TICK, TICK)
    result = np.zeros((len(releases), len(RESTITUTION)))
    for number, release in enumerate(releases):
        tick = np.rint((times - release) / TICK).astype(int) - ticks[0]
        frames = np.flatnonzero((tick >= 0) & (tick < len(ticks)))
        result[number] = better[frames, rows[:, tick[frames]]].sum(axis=1)
    return result
