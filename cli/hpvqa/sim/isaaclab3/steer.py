"""The action of the registered environments: the gripper is steered by four numbers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from isaaclab.utils import configclass
from torch import Tensor

from hpvqa.sim.isaac.commands import CLOSED, WIDTH
from hpvqa.sim.isaaclab3.follow import Follow, FollowCfg

LOW, HIGH = (0.25, -0.45, 0.02), (0.75, 0.45, 0.55)
"""Where the pinch point may be sent [m]: above the table, within reach."""


class Steer(Follow):
    """Moves the pinch point, whose orientation stays as it is at the start, and opens or closes the gripper.

    An action is velocity along x, y and z, and closing (-1 open, 1 closed), each from -1 to 1. It is followed stiffly.
    """

    cfg: SteerCfg

    def __init__(self, cfg: SteerCfg, env: Any) -> None:
        super().__init__(cfg, env)
        self._raw = torch.zeros(self.num_envs, 4, device=self.device)
        self._start: Tensor | None = None
        self._rows = torch.zeros(self.num_envs, WIDTH, device=self.device)
        self._low, self._high = self._tensor(LOW), self._tensor(HIGH)

    @property
    def action_dim(self) -> int:
        """Numbers in an action."""
        return 4

    def apply_actions(self) -> None:
        """Move on by one physics step."""
        if self._start is None:
            # Before the first reset the robot stands as in its file.
            start = self.arm.read()
            self._start = start.position.clone()
            self._rows[:, :3], self._rows[:, 6:CLOSED] = start.position, start.quat_wxyz
        asked = self._raw.clamp(-1.0, 1.0)
        before = self._rows[:, :3]
        wanted = before + asked[:, :3] * self.cfg.speed * self._timestep
        wanted = torch.minimum(torch.maximum(wanted, self._low), self._high)
        self._rows[:, 3:6] = (wanted - before) / self._timestep
        self._rows[:, :3] = wanted
        self._rows[:, CLOSED] = (asked[:, 3] + 1.0) / 2.0
        self.follow(self._rows)

    def reset(self, env_ids: Sequence[int] | None = None) -> None:
        """Start again from where the arm stands after a reset."""
        super().reset(env_ids)
        which: Any = slice(None) if env_ids is None else env_ids
        if self._start is not None:
            self._rows[which, :3] = self._start[which]


@configclass
class SteerCfg(FollowCfg):
    """Settings of :class:`Steer`."""

    class_type: type = Steer
    substeps: int = 1
    speed: float = 0.25
    """Of the pinch point along each axis, at most [m/s]."""


def positions(env: Any, names: Sequence[str]) -> Tensor:
    """Where things are in their environments, shape (environments, 3 things) [m]: an observation."""
    found = [env.scene[name].data.body_pos_w.torch[:, -1] - env.scene.env_origins for name in names]
    return torch.cat(found, dim=1)


def pinch(env: Any) -> Tensor:
    """Where the pinch points are, and how far grippers are closed, shape (environments, 4): an observation."""
    arm = env.action_manager.get_term("arm").arm
    return torch.cat([arm.read().position, arm.closed()[:, None]], dim=1)
