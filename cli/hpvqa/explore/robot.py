"""How the robot does a deed: it takes a thing from where it is and puts it down elsewhere."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hpvqa.probes.waypoint import Waypoint
from hpvqa.scene.cover import KNOB
from hpvqa.scene.spec import Thing, Vec3
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import Array, BodyState, SteppedSimulator

HOME: Vec3 = (0.30, 0.0, 0.30)
"""Where the gripper is between deeds [m]: it hides nothing from views from the front and the sides."""
_LOWEST = 0.02
"""The finger tips would touch the table if the pinch point were lower [m]."""
_ABOVE = 0.16
_OVER = 0.20
"""The pinch point travels so far above where it grasps, and at least so high: over everything that stands about [m]."""
_DROP = 0.002
"""Things are let go so far above where they stand [m]."""
_PLACED = 0.02
_STILL = 0.006
_UPRIGHT = 0.995
"""A thing was put down well if it is so near to where it was to go, all others have moved by less [m], and all stand
as they stood (cosine of the tilt)."""


def at_home() -> Planner:
    """The robot at rest."""
    return Planner([Waypoint("home", HOME, 0.0, 0.0)])


def plan(thing: Thing, position: Array, to: Vec3) -> Planner:
    """From home, take a thing, put it down, and go home again.

    Args:
        thing: The thing; its hidden properties are not used.
        position: Where its centre is now [m].
        to: Where its centre is to be [m].
    """
    x, y, z = map(float, position)
    # Of a cover, the knob is grasped.
    above = thing.half_height - KNOB / 2 if thing.shape == "cover" else 0.0
    grasp, put = max(z + above, _LOWEST), max(to[2] + above, _LOWEST) + _DROP
    high = max(grasp + _ABOVE, put + _ABOVE, _OVER)
    over, over_there, there = (x, y, high), (to[0], to[1], high), (to[0], to[1], put)
    return Planner(
        [
            Waypoint("home", HOME, 0.0, 0.0),
            Waypoint("approach", over, 0.6, 0.0, thing=thing.name),
            Waypoint("descend", (x, y, grasp), 0.45, 0.0, thing=thing.name),
            Waypoint("grasp", (x, y, grasp), 0.3, 1.0, thing=thing.name),
            Waypoint("lift", over, 0.5, 1.0, thing=thing.name),
            Waypoint("carry", over_there, 0.7, 1.0, thing=thing.name),
            Waypoint("lower", there, 0.5, 1.0, thing=thing.name),
            Waypoint("release", there, 0.15, 0.0, thing=thing.name),
            Waypoint("retreat", over_there, 0.25, 0.0, thing=thing.name),
            Waypoint("home", HOME, 0.45, 0.0),
        ]
    )


def carry_out(simulator: SteppedSimulator, thing: Thing, to: Vec3, words: str) -> str | None:
    """Do a deed.

    Args:
        simulator: Where, with the robot at home.
        thing: What it is done to.
        to: Where its centre is to be [m].
        words: What a person calls the thing.

    Returns:
        What went wrong, in words; None if nothing did.
    """
    before = dict(simulator.state().things)
    planner = plan(thing, before[thing.name].position, to)
    for step in range(round(planner.duration / simulator.timestep)):
        simulator.step(planner.command((step + 1) * simulator.timestep))
    return _mishap(thing, to, words, before, simulator.state().things)


def _mishap(
    thing: Thing, to: Vec3, words: str, before: Mapping[str, BodyState], after: Mapping[str, BodyState]
) -> str | None:
    off = after[thing.name].position - np.array(to)
    if np.hypot(off[0], off[1]) > _PLACED or abs(off[2]) > _STILL:
        return f"{words} was not put down where it was to go"
    if thing.shape != "sphere" and _upright(after[thing.name]) < _UPRIGHT:
        return f"{words} fell over"
    for name, state in after.items():
        if name != thing.name and np.linalg.norm(state.position - before[name].position) > _STILL:
            return f"something else moved when {words} was taken away"
    return None


def _upright(state: BodyState) -> float:
    """Cosine of the angle between a thing's axis and the vertical."""
    _, x, y, _ = state.quat_wxyz
    return float(1 - 2 * (x * x + y * y))
