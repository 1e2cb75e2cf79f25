"""The action of the environment: the commands of one frame, followed at physics rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING
from typing import Any

import torch
from isaaclab.controllers import DifferentialIKController, DifferentialIKControllerCfg
from isaaclab.managers import ActionTerm, ActionTermCfg
from isaaclab.utils import configclass
from torch import Tensor

from hpvqa.sim.isaac import names, robot
from hpvqa.sim.isaac.arm import ArmView
from hpvqa.sim.isaac.commands import CLOSED, WIDTH, unpack
from hpvqa.sim.isaac.torque import compliant_torques, joint_speeds
from hpvqa.sim.protocol import Command

MAX_LEAD = 0.1
"""Joint targets lead the joints by at most this much [rad]: an arm that a compliant phase left elsewhere catches up."""


class Follow(ActionTerm):  # type: ignore[misc] # Isaac Lab has no types
    """Follows commands with the arm, stiffly by differential inverse kinematics or by the impedance law.

    In compliant phases the drives' stiffness and damping are 0 and torques are set at every physics step.
    """

    def __init__(self, cfg: FollowCfg, env: Any) -> None:
        super().__init__(cfg, env)
        self.on_step: Callable[[], None] | None = None
        """Called before every physics step, when buffers hold the state after the one before."""
        self._width = cfg.substeps * WIDTH
        self._raw = torch.zeros(self.num_envs, self._width, device=self.device)
        self._substep = 0
        self._arm = ArmView(self._asset)
        self._gripper, _ = self._asset.find_joints([names.GRIPPER_JOINT])
        self._ik = DifferentialIKController(ik_settings(), num_envs=self.num_envs, device=self.device)
        self._home = self._tensor(robot.HOME)
        self._limit = self._tensor(robot.TORQUE_LIMIT)
        self._stiffness = self._tensor(robot.STIFFNESS)
        self._compliant: Tensor | None = None

    @property
    def action_dim(self) -> int:
        """Numbers in an action: a command for every physics step of a frame."""
        return self._width

    @property
    def raw_actions(self) -> Tensor:
        """The last action, shape (environments, numbers)."""
        return self._raw

    @property
    def processed_actions(self) -> Tensor:
        """The last action: it is followed as it is."""
        return self._raw

    def process_actions(self, actions: Tensor) -> None:
        """Take the commands of the next frame."""
        self._raw[:] = actions
        self._substep = 0

    def apply_actions(self) -> None:
        """Follow the command of the next physics step."""
        if self.on_step is not None:
            self.on_step()
        rows = self._raw.view(self.num_envs, -1, WIDTH)[:, self._substep]
        self._substep += 1
        self.follow(rows)

    def follow(self, rows: Tensor) -> None:
        """Set targets and torques for one physics step.

        Args:
            rows: A command for every environment, shape (environments, 19).
        """
        command, gains, compliant = unpack(rows)
        self._switch(compliant)
        state = self._arm.read()
        targets, speeds = self._stiff(state, command)
        self._asset.set_joint_position_target(targets, joint_ids=self._arm.joints)
        self._asset.set_joint_velocity_target(speeds, joint_ids=self._arm.joints)
        torque = compliant_torques(
            state.jacobian,
            state.position,
            state.quat_wxyz,
            state.angles,
            state.speeds,
            self._home,
            command,
            gains,
        )
        torque = torch.where(compliant[:, None], torque.clamp(-self._limit, self._limit), torch.zeros_like(torque))
        self._asset.set_joint_effort_target(torque, joint_ids=self._arm.joints)
        closing = rows[:, CLOSED : CLOSED + 1] * robot.CLOSED_ANGLE
        self._asset.set_joint_position_target(closing, joint_ids=self._gripper)

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Forget the commands of earlier episodes; the drives are stiff again."""
        self._raw[:] = 0.0
        self._substep = 0
        self._compliant = None

    def _stiff(self, state: Any, command: Command) -> tuple[Tensor, Tensor]:
        self._ik.set_command(torch.cat([command.position, command.quat_wxyz], dim=1))
        wanted = self._ik.compute(state.position, state.quat_wxyz, state.jacobian, state.angles)
        lead = (wanted - state.angles).clamp(-MAX_LEAD, MAX_LEAD)
        return state.angles + lead, joint_speeds(state.jacobian, command.velocity)

    def _switch(self, compliant: Tensor) -> None:
        if self._compliant is not None and bool((self._compliant == compliant).all()):
            return
        self._compliant = compliant.clone()
        stiff = (~compliant)[:, None].to(self._stiffness.dtype)
        # As sequences of indices, and never None: some versions of Isaac Lab index with what they are given here.
        environments = torch.arange(self.num_envs, device=self.device)
        joints = torch.tensor(self._arm.joints, device=self.device)
        self._asset.write_joint_stiffness_to_sim(stiff * self._stiffness, joint_ids=joints, env_ids=environments)
        damping = stiff * torch.full_like(self._stiffness, robot.DAMPING)
        self._asset.write_joint_damping_to_sim(damping, joint_ids=joints, env_ids=environments)

    def _tensor(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)


def ik_settings() -> DifferentialIKControllerCfg:
    """Settings of the inverse kinematics: absolute poses, damped least squares."""
    return DifferentialIKControllerCfg(command_type="pose", use_relative_mode=False, ik_method="dls")


@configclass
class FollowCfg(ActionTermCfg):  # type: ignore[misc]
    """Settings of :class:`Follow`."""

    class_type: type = Follow
    asset_name: str = names.ROBOT
    substeps: int = MISSING  # type: ignore[assignment]
    """Physics steps in one frame."""
