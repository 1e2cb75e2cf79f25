"""Reading the arms of all environments: joints, pinch frames and Jacobians."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.utils.math import combine_frame_transforms, subtract_frame_transforms
from torch import Tensor

from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.gripper import pinch_offset, pinch_yaw
from hpvqa.sim.isaac.robot import finger_names
from hpvqa.sim.isaac.state import ArmState, require_fixed_base
from hpvqa.sim.isaac.torque import moved_jacobian


class ArmView:
    """Reads a robot of Isaac Lab. The base must not be turned; where it stands is the environment's origin.

    Args:
        robot: The articulation.

    Raises:
        RunError: Its base is not fixed.
    """

    def __init__(self, robot: Any) -> None:
        require_fixed_base(robot)
        self._robot = robot
        self.joints: list[int] = robot.find_joints(names.ARM_JOINTS, preserve_order=True)[0]
        self._wrist: int = robot.find_bodies([names.WRIST])[0][0]
        self._fingers: list[int] = robot.find_bodies(finger_names(robot.body_names), preserve_order=True)[0]
        self._offset: tuple[Tensor, Tensor] | None = None

    def pinch(self) -> tuple[Tensor, Tensor]:
        """Position in the world, shape (n, 3) [m], and orientation, shape (n, 4), of the pinch frames."""
        data = self._robot.data
        position, quat = data.body_pos_w[:, self._wrist], data.body_quat_w[:, self._wrist]
        if self._offset is None:
            # Their centres of mass: origins of links need not lie where the links are. In this model they do not.
            left, right = (
                subtract_frame_transforms(position, quat, data.body_com_pos_w[:, finger])[0] for finger in self._fingers
            )
            self._offset = pinch_offset(pinch_yaw(left, right))
        moved: tuple[Tensor, Tensor] = combine_frame_transforms(position, quat, *self._offset)
        return moved

    def read(self) -> ArmState:
        """The state now."""
        data = self._robot.data
        position, quat = self.pinch()
        # PhysX gives linear rows at the body's centre of mass, not at the origin of its frame
        # (https://github.com/isaac-sim/IsaacLab/pull/5400). The base is fixed, so its row is left out.
        rows = self._robot.root_physx_view.get_jacobians()[:, self._wrist - 1][:, :, self.joints]
        arm = position - data.body_com_pos_w[:, self._wrist]
        return ArmState(
            angles=data.joint_pos[:, self.joints],
            speeds=data.joint_vel[:, self.joints],
            position=position - data.root_pos_w,
            quat_wxyz=quat,
            jacobian=moved_jacobian(rows, arm),
        )

    def closed(self, joint: int, closed_angle: float) -> Tensor:
        """How far the grippers are closed, shape (n,)."""
        share: Tensor = self._robot.data.joint_pos[:, joint] / closed_angle
        return torch.clamp(share, 0.0, 1.0)
