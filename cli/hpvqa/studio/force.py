"""How hard the arm pushed, from what it was told and where it was: no force is recorded."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from hpvqa.record.episode import EpisodeRecord
from hpvqa.sim.planner import Planner

Array = NDArray[np.float64]


def soft_force(record: EpisodeRecord, rows: Mapping[str, Array]) -> Array:
    """The force of the spring and damper between the gripper and where it was told to be, as the arm exerts it.

    Speeds are differences of a video's frames, so that short peaks are lower here than they were.

    Args:
        record: The episode.
        rows: Its trajectory, at least two rows.

    Returns:
        Shape (3, rows), in the world [N]; NaN where the arm follows stiffly, for then no law says how hard it pushes.
    """
    planner = Planner(record.task.waypoints(record.spec))
    time = rows["time"]
    place = np.stack([rows[f"ee_{axis}"] for axis in "xyz"], axis=1)
    # Times that do not pass, in a trajectory that somebody made, have no speed.
    with np.errstate(divide="ignore", invalid="ignore"):
        speed = np.gradient(place, time, axis=0)
    force = np.full(place.shape, np.nan)
    for number, moment in enumerate(time.tolist()):
        command = planner.command(moment)
        if command.gains is not None:
            stretch, late = command.position - place[number], command.velocity - speed[number]
            force[number] = command.gains.stiffness * stretch + command.gains.damping * late
    return force.T
