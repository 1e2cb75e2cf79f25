"""The action of the environment: the commands of one frame, followed at physics rate."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import MISSING
from typing import Any

import torch
from isaaclab.managers import ActionTerm, ActionTermCfg
from isaaclab.utils import configclass
from torch import Tensor

from hpvqa.sim.isaac.commands import CLOSED, WIDTH, unpack
from hpvqa.sim.isaac.names import ROBOT
from hpvqa.sim.isaac.torque import compliant_torques, joint_speeds, towards
from hpvqa.sim.isaaclab3 import names, robot
from hpvqa.sim.isaaclab3.arm import ArmView

MAX_LEAD = 0.1
"""Joint targets lead the joints by at most this much [rad]: an arm that a compliant phase left elsewhere catches up."""


class Follow(ActionTerm):  # type: ignore[misc] # Isaac Lab has no types
    """Follows commands with the arm, stiffly by inverse kinematics or by the impedance law.

    In compliant phases the drives' stiffness and damping are 0 and torques are set at every physics step. What the
    joints lose by themselves (the MJCF's damping) PhysX takes from the robot's file.
    """

    def __init__(self, cfg: FollowCfg, env: Any) -> None:
        super().__init__(cfg, env)
        self.on_step: Callable[[], None] | None = None
        """Called before every physics step, when buffers hold the state after the one before."""
        self._width = cfg.substeps * WIDTH
        self._raw = torch.zeros(self.num_envs, self._width, device=self.device)
        self._substep = 0
        self.arm = ArmView(self._asset)
        self._fingers, self._pads, self._cranks = (
            _joints(self._asset, [f"{side}_{part}_joint" for side in names.SIDES])
            for part in ("spring_link", "follower", "driver")
        )
        self._home = self._tensor(robot.HOME)
        self._limit = self._tensor(robot.TORQUE_LIMIT)
        self._stiffness, self._damping = self._tensor(robot.STIFFNESS), self._tensor(robot.DAMPING)
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
        state = self.arm.read()
        lead = towards(state, command, self._home).clamp(-MAX_LEAD, MAX_LEAD)
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
        position, speed, effort = (torch.zeros_like(self._asset.data.joint_pos.torch) for _ in range(3))
        position[:, self.arm.joints] = state.angles + lead
        speed[:, self.arm.joints] = joint_speeds(state.jacobian, command.velocity)
        effort[:, self.arm.joints] = torque
        self._close(position, rows[:, CLOSED : CLOSED + 1])
        targets = self._asset.actuators.target_command
        # All joints at once: each of these calls takes as long as the rest of this function.
        targets.set_position_index(value=position)
        targets.set_velocity_index(value=speed)
        targets.set_effort_index(value=effort)

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Forget the commands of earlier episodes; the drives are stiff again."""
        self._raw[:] = 0.0
        self._substep = 0
        self._compliant = None

    def _close(self, position: Tensor, share: Tensor) -> None:
        """Close the fingers; what hangs at them follows as in the real linkage."""
        now = self.arm.finger_angles()
        position[:, self._fingers] = share * robot.CLOSED_ANGLE
        position[:, self._pads] = robot.FOLLOWER * now
        position[:, self._cranks] = now

    def _switch(self, compliant: Tensor) -> None:
        if self._compliant is not None and bool((self._compliant == compliant).all()):
            return
        self._compliant = compliant.clone()
        stiff = (~compliant)[:, None].to(self._stiffness.dtype)
        joints = self.arm.joints
        self._asset.write_joint_stiffness_to_sim_index(stiffness=stiff * self._stiffness, joint_ids=joints)
        self._asset.write_joint_damping_to_sim_index(damping=stiff * self._damping, joint_ids=joints)

    def _tensor(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)


def _joints(asset: Any, wanted: Sequence[str]) -> list[int]:
    return [int(index) for index in asset.find_joints(list(wanted), preserve_order=True)[0]]


@configclass
class FollowCfg(ActionTermCfg):  # type: ignore[misc]
    """Settings of :class:`Follow`."""

    class_type: type = Follow
    asset_name: str = ROBOT
    substeps: int = MISSING  # type: ignore[assignment]
    """Physics steps in one frame."""
