"""A recorded episode as rigid bodies with their meshes, and where each is at every row of its trajectory.

Nothing is simulated: things are where the trajectory says, and the robot is put together from its joint angles.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import Thing
from hpvqa.scene.spring import PLATE
from hpvqa.sim.mujoco.arm import HOME
from hpvqa.sim.mujoco.names import ROBOT, THING
from hpvqa.sim.mujoco.robot import bare_robot, robot_parts
from hpvqa.sim.mujoco.simulator import CLOSE_SIGNAL, CLOSED_ANGLE
from hpvqa.sim.mujoco.world import World
from hpvqa.sim.protocol import FIRST_LABEL, ROBOT_LABEL
from hpvqa.sim.render.parts import Part, thing_parts

Array = NDArray[np.float64]
_POSE = ("x", "y", "z", "qw", "qx", "qy", "qz")
_SWEEP = 2400
"""Physics steps in which the gripper closes, unhurried, so that how its links lie can be read at every angle."""


@dataclass(frozen=True)
class Body:
    """Something rigid.

    Attributes:
        name: What it is called.
        parts: What it is drawn with, in its own frame.
        poses: Position [m] and orientation (w, x, y, z) at every row, shape (rows, 7).
    """

    name: str
    parts: tuple[Part, ...]
    poses: Array

    def plain(self) -> dict[str, Any]:
        """The same as JSON has it, to the micrometre; meshes to a hundredth of a millimetre, as fine as they come."""
        meshes = [(part.color, part.levels[0]) for part in self.parts]
        return {
            "name": self.name,
            "poses": self.poses.round(6).tolist(),
            "parts": [
                {
                    "color": color,
                    "points": mesh.points.round(5).tolist(),
                    "normals": mesh.normals.round(3).tolist(),
                    "faces": mesh.faces.tolist(),
                }
                for color, mesh in meshes
            ],
        }


def bodies(robot_xml: Path, cache: Path, things: Sequence[Thing], rows: Mapping[str, Array]) -> Iterator[Body]:
    """The bodies of an episode: the robot's, then those of its things.

    Args:
        robot_xml: The Panda with its gripper.
        cache: Folder of its simplified meshes.
        things: The things of the episode.
        rows: The columns of its trajectory, each of shape (rows,).
    """
    robot: dict[str, list[Part]] = {}
    for found in robot_parts(robot_xml, cache, ROBOT_LABEL):
        robot.setdefault(found.body, []).append(found.part)
    joints = np.column_stack([rows[f"joint_{number}"] for number in range(1, 8)])
    for name, poses in _robot_poses(robot_xml, list(robot), joints, rows["gripper"]).items():
        yield Body(ROBOT + name, tuple(robot[name]), poses)
    for label, thing in enumerate(things, FIRST_LABEL):
        moving = np.column_stack([rows[f"{thing.name}_{part}"] for part in _POSE])
        parts: dict[str, list[Part]] = {}
        for of, part in thing_parts(thing, label):
            parts.setdefault(of, []).append(part)
        for of, drawn in parts.items():
            # Of a spring, what a trajectory follows is the plate.
            still = thing.shape == "spring" and of != PLATE
            start = np.tile((*thing.position, *thing.quat_wxyz), (len(moving), 1))
            yield Body(THING + thing.name + of, tuple(drawn), start if still else moving)


def _robot_poses(robot_xml: Path, names: Sequence[str], joints: Array, closed: Array) -> dict[str, Array]:
    """Poses of the robot's bodies, each of shape (rows, 7), from joint angles (rows, 7) and closings (rows,)."""
    world = World(bare_robot(robot_xml), ())
    model, data = world.model, world.data
    closings, links = _gripper(world)
    numbers = [model.body(ROBOT + name).id for name in names]
    found = np.empty((len(names), len(joints), 7))
    for row, (angles, share) in enumerate(zip(joints, closed, strict=True)):
        data.qpos[:] = [np.interp(share, closings, angle) for angle in links.T]
        data.qpos[world.arm.qpos] = angles
        mujoco.mj_kinematics(model, data)
        found[:, row] = np.hstack([data.xpos[numbers], data.xquat[numbers]])
    return dict(zip(names, found, strict=True))


def _gripper(world: World) -> tuple[Array, Array]:
    """How far the gripper is closed, growing, shape (n,), and all joints then, shape (n, joints).

    Its links form loops that bend freely where they meet, so how they lie is seen by closing it on nothing.
    """
    model, data = world.model, world.data
    arm = model.jnt_dofadr[[model.joint(f"{ROBOT}joint{number}").id for number in range(1, 8)]]
    closings, links = [], []
    for step in range(_SWEEP):
        data.qpos[world.arm.qpos], data.qvel[arm] = HOME, 0.0
        data.ctrl[world.fingers] = CLOSE_SIGNAL * min(1.0, 1.5 * step / _SWEEP)
        mujoco.mj_step(model, data)
        closings.append(data.qpos[world.drivers].mean() / CLOSED_ANGLE)
        links.append(data.qpos.copy())
    growing = np.maximum.accumulate(closings)
    new = np.flatnonzero(np.diff(growing, prepend=-np.inf) > 0)
    return growing[new], np.array(links)[new]
