"""Reading the worlds of all environments into rows, once a physics step."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hpvqa.sim.isaac.names import contact
from hpvqa.sim.isaac.rows import CONTACT_FORCE
from hpvqa.sim.isaaclab3.arm import ArmView
from hpvqa.sim.isaaclab3.quaternions import wxyz


class WorldReader:
    """Turns Isaac Lab's buffers into rows of numbers.

    Args:
        env: The environment.
        arm: Its robot.
        things: Names of its things.
    """

    def __init__(self, env: Any, arm: ArmView, things: Sequence[str]) -> None:
        self.things = tuple(things)
        self._scene = env.scene
        self._arm = arm

    def rows(self) -> Tensor:
        """The worlds now, shape (environments, 15 + 12 things): the arm, then each thing."""
        state = self._arm.read()
        arm = [state.angles, self._arm.closed()[:, None], state.position, state.quat_wxyz]
        return torch.cat([*arm, *(self._body(name) for name in self.things)], dim=1)

    def _body(self, name: str) -> Tensor:
        data = self._scene[name].data
        # Of a thing of several bodies the last is what moves.
        position, quat = data.body_pos_w.torch[:, -1] - self._scene.env_origins, wxyz(data.body_quat_w.torch[:, -1])
        # Columns in the order of spawn.contact_sensor: table, other things, parts of the robot.
        forces = self._scene[contact(name)].data.force_matrix_w.torch[:, 0].norm(dim=-1) > CONTACT_FORCE
        gripper = forces[:, len(self.things) :].any(dim=1)
        touching = torch.stack([gripper, forces[:, 0]], dim=1).to(position.dtype)
        return torch.cat([position, quat, data.body_lin_vel_w.torch[:, -1], touching], dim=1)
