"""Reading the arms of all environments: joints, pinch frames and Jacobians."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.utils.math import quat_apply
from torch import Tensor

from hpvqa.sim.isaac.state import ArmState, require_fixed_base
from hpvqa.sim.isaac.torque import moved_jacobian
from hpvqa.sim.isaaclab3 import names
from hpvqa.sim.isaaclab3.quaternions import wxyz
from hpvqa.sim.isaaclab3.robot import CLOSED_ANGLE


class ArmView:
    """Reads a robot of Isaac Lab; where its base stands is the environment's origin.

    Args:
        robot: The articulation.

    Raises:
        RunError: Its base is not fixed.
    """

    def __init__(self, robot: Any) -> None:
        require_fixed_base(robot)
        self._robot = robot
        self.joints = _indices(robot.find_joints(names.ARM_JOINTS, preserve_order=True))
        self.fingers = _indices(robot.find_joints([f"{side}_spring_link_joint" for side in names.SIDES]))
        (self._hand,) = _indices(robot.find_bodies([names.HAND]))
        self._pinch = torch.tensor([0.0, 0.0, names.PINCH], device=robot.device)

    def read(self) -> ArmState:
        """The state now."""
        data = self._robot.data
        hand, quat = data.body_pos_w.torch[:, self._hand], data.body_quat_w.torch[:, self._hand]
        arm = quat_apply(quat, self._pinch.expand_as(hand))
        # The base is fixed, so its row is left out. Rows are of the body's origin.
        rows = data.body_link_jacobian_w.torch[:, self._hand - 1][:, :, self.joints]
        return ArmState(
            angles=data.joint_pos.torch[:, self.joints],
            speeds=data.joint_vel.torch[:, self.joints],
            position=hand + arm - data.root_pos_w.torch,
            quat_wxyz=wxyz(quat),
            jacobian=moved_jacobian(rows, arm),
        )

    def finger_angles(self) -> Tensor:
        """How far the fingers' first joints are turned, left and right, shape (n, 2) [rad]."""
        angles: Tensor = self._robot.data.joint_pos.torch[:, self.fingers]
        return angles

    def closed(self) -> Tensor:
        """How far the grippers are closed, shape (n,)."""
        return torch.clamp(self.finger_angles().mean(dim=1) / CLOSED_ANGLE, 0.0, 1.0)


def _indices(found: Any) -> list[int]:
    return [int(index) for index in found[0]]
