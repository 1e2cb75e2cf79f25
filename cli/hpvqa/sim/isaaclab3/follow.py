"""The action of the environment in Isaac Lab 3."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from isaaclab.utils import configclass
from torch import Tensor

from hpvqa.sim.isaac.following import Following, FollowingCfg
from hpvqa.sim.isaac.panda import SPEED_LIMIT
from hpvqa.sim.isaac.state import ArmState
from hpvqa.sim.isaac.torque import towards
from hpvqa.sim.isaaclab3 import names, robot
from hpvqa.sim.isaaclab3.arm import ArmView
from hpvqa.sim.protocol import Command


class Follow(Following):
    """Follows stiffly by the embedded simulator's inverse kinematics: joint targets that move on from step to step.

    What the joints lose by themselves (the MJCF's damping) PhysX takes from the robot's file.
    """

    def __init__(self, cfg: FollowCfg, env: Any) -> None:
        super().__init__(cfg, env)
        self.arm = ArmView(self._asset)
        self._fingers, self._pads, self._cranks = (
            _joints(self._asset, [f"{side}_{part}_joint" for side in names.SIDES])
            for part in ("spring_link", "follower", "driver")
        )
        self._stiffness, self._damping = self._tensor(robot.STIFFNESS), self._tensor(robot.DAMPING)
        self._timestep: float = env.physics_dt
        self._reach = self._tensor(SPEED_LIMIT) * self._timestep
        self._target: Tensor | None = None

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Forget the commands of earlier episodes, and where they led."""
        super().reset(env_ids)
        self._target = None

    def _drive(self, state: ArmState, command: Command, torque: Tensor, closed: Tensor) -> None:
        assert self._compliant is not None  # noqa: S101 - for the type checker
        before = state.angles if self._target is None else self._target
        # An arm that a compliant phase left elsewhere catches up at the speed limit.
        before = torch.where(self._compliant[:, None], state.angles, before)
        moved = towards(state, before, command, self._home).clamp(-self._reach, self._reach)
        self._target = before + moved
        position, speed, effort = (torch.zeros_like(self._asset.data.joint_pos.torch) for _ in range(3))
        position[:, self.arm.joints] = self._target
        speed[:, self.arm.joints] = moved / self._timestep
        effort[:, self.arm.joints] = torque
        self._close(position, closed)
        targets = self._asset.actuators.target_command
        # All joints at once: each of these calls takes as long as the rest of this function.
        targets.set_position_index(value=position)
        targets.set_velocity_index(value=speed)
        targets.set_effort_index(value=effort)

    def _close(self, position: Tensor, share: Tensor) -> None:
        """Close the fingers; what hangs at them follows as in the real linkage."""
        now = self.arm.finger_angles()
        position[:, self._fingers] = share * robot.CLOSED_ANGLE
        position[:, self._pads] = robot.FOLLOWER * now
        position[:, self._cranks] = now

    def _stiffen(self, stiff: Tensor) -> None:
        joints = self.arm.joints
        self._asset.write_joint_stiffness_to_sim_index(stiffness=stiff * self._stiffness, joint_ids=joints)
        self._asset.write_joint_damping_to_sim_index(damping=stiff * self._damping, joint_ids=joints)


def _joints(asset: Any, wanted: Sequence[str]) -> list[int]:
    return [int(index) for index in asset.find_joints(list(wanted), preserve_order=True)[0]]


@configclass
class FollowCfg(FollowingCfg):
    """Settings of :class:`Follow`."""

    class_type: type = Follow
