"""From waypoints to a command for every moment."""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Sequence
from itertools import accumulate

import numpy as np

from hpvqa.probes.waypoint import Waypoint, minimum_jerk
from hpvqa.sim.protocol import Array, Command

POINTING_DOWN = np.array([0.0, 1.0, 0.0, 0.0])
"""Orientation (w, x, y, z) of the pinch frame whose z axis points at the table and whose fingers open along y."""


class Planner:
    """Commands along straight lines between waypoints, each line a minimum-jerk movement from rest to rest."""

    def __init__(self, waypoints: Sequence[Waypoint]) -> None:
        if not waypoints or waypoints[0].duration != 0:
            raise ValueError("a plan starts with a waypoint of duration 0")
        self._waypoints = waypoints
        self._positions = [np.array(waypoint.position) for waypoint in waypoints]
        self._ends = list(accumulate(waypoint.duration for waypoint in waypoints))

    @property
    def duration(self) -> float:
        """Length of the plan [s]."""
        return self._ends[-1]

    def waypoint(self, time: float) -> Waypoint:
        """The waypoint that the robot is on its way to at ``time`` [s]."""
        return self._waypoints[self._index(time)]

    def command(self, time: float) -> Command:
        """What the robot should do at ``time`` [s]; after the end, stay at the last waypoint."""
        index = self._index(time)
        waypoint = self._waypoints[index]
        before, after = self._positions[max(index - 1, 0)], self._positions[index]
        share, rate = minimum_jerk(time - self._ends[index] + waypoint.duration, waypoint.duration)
        return Command(
            position=before + (after - before) * share,
            velocity=(after - before) * rate,
            quat_wxyz=pointing_down(self._waypoints[max(index - 1, 0)].yaw * (1 - share) + waypoint.yaw * share),
            closed=waypoint.closed,
            gains=waypoint.gains,
        )

    def _index(self, time: float) -> int:
        return min(bisect_right(self._ends, time), len(self._ends) - 1)


def pointing_down(yaw: float) -> Array:
    """Orientation (w, x, y, z) of a pinch frame that points at the table, turned about the vertical [rad]."""
    if yaw == 0:
        return POINTING_DOWN
    w, x, y, z = POINTING_DOWN
    c, s = math.cos(yaw / 2), math.sin(yaw / 2)
    return np.array([c * w - s * z, c * x - s * y, c * y + s * x, c * z + s * w])
