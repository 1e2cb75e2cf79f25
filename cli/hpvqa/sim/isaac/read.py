"""Reading the worlds of all environments into rows, once a physics step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.arm import ArmView
from hpvqa.sim.isaac.robot import CLOSED_ANGLE
from hpvqa.sim.isaac.rows import CONTACT_FORCE


class WorldReader:
    """Turns Isaac Lab's buffers into rows of numbers.

    Rows stay on the GPU until a whole frame of them is fetched: fetching each one would wait for the GPU every time.

    Args:
        env: The environment.
        things: Names of its things.

    Attributes:
        things: The same.
    """

    def __init__(self, env: Any, things: Sequence[str]) -> None:
        self.things = tuple(things)
        self._scene = env.scene
        robot = env.scene[names.ROBOT]
        self.arm = ArmView(robot)
        self._robot = robot
        self._gripper: int = robot.find_joints([names.GRIPPER_JOINT])[0][0]

    def rows(self) -> Tensor:
        """The worlds now, shape (environments, 15 + 12 things): the arm, then each thing."""
        position, quat = self.arm.pinch()
        origins = self._scene.env_origins
        arm = [
            self._robot.data.joint_pos[:, self.arm.joints],
            self.arm.closed(self._gripper, CLOSED_ANGLE)[:, None],
            position - origins,
            quat,
        ]
        return torch.cat([*arm, *(self._body(name, origins) for name in self.things)], dim=1)

    def _body(self, name: str, origins: Tensor) -> Tensor:
        data = self._scene[name].data
        # Columns in the order of spawn.contact_sensor: table, other things, parts of the robot.
        forces = self._scene[names.contact(name)].data.force_matrix_w[:, 0].norm(dim=-1) > CONTACT_FORCE
        touching = torch.stack([forces[:, len(self.things) :].any(dim=1), forces[:, 0]], dim=1).to(
            data.root_pos_w.dtype
        )
        return torch.cat([data.root_pos_w - origins, data.root_quat_w, data.root_lin_vel_w, touching], dim=1)
