"""The action of the environment in Isaac Sim."""

from __future__ import annotations

from typing import Any

import torch
from isaaclab.controllers import DifferentialIKController, DifferentialIKControllerCfg
from isaaclab.utils import configclass
from torch import Tensor

from hpvqa.sim.isaac import names, robot
from hpvqa.sim.isaac.arm import ArmView
from hpvqa.sim.isaac.following import MAX_LEAD, Following, FollowingCfg
from hpvqa.sim.isaac.state import ArmState
from hpvqa.sim.isaac.torque import joint_speeds
from hpvqa.sim.protocol import Command


class Follow(Following):
    """Follows stiffly by differential inverse kinematics."""

    def __init__(self, cfg: FollowCfg, env: Any) -> None:
        super().__init__(cfg, env)
        self.arm = ArmView(self._asset)
        self._gripper, _ = self._asset.find_joints([names.GRIPPER_JOINT])
        self._ik = DifferentialIKController(ik_settings(), num_envs=self.num_envs, device=self.device)
        self._stiffness = self._tensor(robot.STIFFNESS)

    def _drive(self, state: ArmState, command: Command, torque: Tensor, closed: Tensor) -> None:
        self._ik.set_command(torch.cat([command.position, command.quat_wxyz], dim=1))
        wanted = self._ik.compute(state.position, state.quat_wxyz, state.jacobian, state.angles)
        targets = state.angles + (wanted - state.angles).clamp(-MAX_LEAD, MAX_LEAD)
        speeds = joint_speeds(state.jacobian, command.velocity)
        self._asset.set_joint_position_target(targets, joint_ids=self.arm.joints)
        self._asset.set_joint_velocity_target(speeds, joint_ids=self.arm.joints)
        self._asset.set_joint_effort_target(torque, joint_ids=self.arm.joints)
        self._asset.set_joint_position_target(closed * robot.CLOSED_ANGLE, joint_ids=self._gripper)

    def _stiffen(self, stiff: Tensor) -> None:
        # As sequences of indices, and never None: some versions of Isaac Lab index with what they are given here.
        environments = torch.arange(self.num_envs, device=self.device)
        joints = torch.tensor(self.arm.joints, device=self.device)
        self._asset.write_joint_stiffness_to_sim(stiff * self._stiffness, joint_ids=joints, env_ids=environments)
        damping = stiff * torch.full_like(self._stiffness, robot.DAMPING)
        self._asset.write_joint_damping_to_sim(damping, joint_ids=joints, env_ids=environments)


def ik_settings() -> DifferentialIKControllerCfg:
    """Settings of the inverse kinematics: absolute poses, damped least squares."""
    return DifferentialIKControllerCfg(command_type="pose", use_relative_mode=False, ik_method="dls")


@configclass
class FollowCfg(FollowingCfg):
    """Settings of :class:`Follow`."""

    class_type: type = Follow
