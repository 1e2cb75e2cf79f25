"""What following the commands of a frame has in common in all versions of Isaac Lab."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import MISSING
from typing import Any

import torch
from isaaclab.managers import ActionTerm, ActionTermCfg
from isaaclab.utils import configclass
from torch import Tensor

from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.commands import CLOSED, WIDTH, unpack
from hpvqa.sim.isaac.panda import HOME, TORQUE_LIMIT
from hpvqa.sim.isaac.state import ArmState
from hpvqa.sim.isaac.torque import compliant_torques
from hpvqa.sim.protocol import Command

MAX_LEAD = 0.1
"""Joint targets lead the joints by at most this much [rad]: an arm that a compliant phase left elsewhere catches up."""


class Following(ActionTerm):  # type: ignore[misc] # Isaac Lab has no types
    """Follows commands with the arm, one at every physics step, stiffly or by the impedance law.

    In compliant phases the drives' stiffness and damping are 0 and torques are set at every physics step.
    """

    arm: Any
    """Reads the arms."""

    def __init__(self, cfg: FollowingCfg, env: Any) -> None:
        super().__init__(cfg, env)
        self.on_step: Callable[[], None] | None = None
        """Called before every physics step, when buffers hold the state after the one before."""
        self._width = cfg.substeps * WIDTH
        self._raw = torch.zeros(self.num_envs, self._width, device=self.device)
        self._substep = 0
        self._home = self._tensor(HOME)
        self._limit = self._tensor(TORQUE_LIMIT)
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
        self._drive(state, command, torque, rows[:, CLOSED : CLOSED + 1])

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Forget the commands of earlier episodes; the drives are stiff again."""
        self._raw[:] = 0.0
        self._substep = 0
        self._compliant = None

    @abstractmethod
    def _drive(self, state: ArmState, command: Command, torque: Tensor, closed: Tensor) -> None:
        """Set targets of arm and gripper, and torques of the arm.

        Args:
            state: Of the arms, now.
            command: Where they shall be.
            torque: Shape (environments, 7) [N m]; 0 where the drives are stiff.
            closed: How far the grippers shall be closed, shape (environments, 1).
        """

    @abstractmethod
    def _stiffen(self, stiff: Tensor) -> None:
        """Switch the arm's drives on where this is 1 and off where it is 0, shape (environments, 1)."""

    def _switch(self, compliant: Tensor) -> None:
        if self._compliant is not None and bool((self._compliant == compliant).all()):
            return
        self._compliant = compliant.clone()
        self._stiffen((~compliant)[:, None].to(self._limit.dtype))

    def _tensor(self, values: Sequence[float]) -> Tensor:
        return torch.tensor(values, dtype=torch.float32, device=self.device)


@configclass
class FollowingCfg(ActionTermCfg):  # type: ignore[misc]
    """Settings of :class:`Following`."""

    asset_name: str = names.ROBOT
    substeps: int = MISSING  # type: ignore[assignment]
    """Physics steps in one frame."""
