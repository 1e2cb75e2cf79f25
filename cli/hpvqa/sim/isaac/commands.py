"""Commands as rows of a tensor: what an action of the environment consists of."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from hpvqa.probes.waypoint import Gains
from hpvqa.sim.protocol import Array, Command

WIDTH = 19
"""Numbers in a command: position, velocity, orientation, closing, then stiffness, damping and both about the axes."""

CLOSED = 10
"""The number among them that says how far the gripper should be closed."""


def pack(command: Command) -> Array:
    """A command as a row, shape (19,); gains of zero mean: follow stiffly."""
    gains = command.gains
    springs = np.zeros(8)
    if gains is not None:
        springs = np.concatenate(
            [gains.stiffness, gains.damping, [gains.rotational_stiffness, gains.rotational_damping]]
        )
    return np.concatenate([command.position, command.velocity, command.quat_wxyz, [command.closed], springs])


def pack_frames(commands: Sequence[Sequence[Command]]) -> Tensor:
    """The commands of one frame as an action.

    Args:
        commands: For every environment, a command for each physics step of the frame.

    Returns:
        Shape (environments, steps · 19).
    """
    rows = [np.concatenate([pack(command) for command in steps]) for steps in commands]
    return torch.tensor(np.array(rows), dtype=torch.float32)


def unpack(rows: Tensor) -> tuple[Command, Gains, Tensor]:
    """Commands with tensors of n rows, their gains, and which of them are compliant, shape (n,)."""
    gains = Gains(
        stiffness=rows[:, 11:14],
        damping=rows[:, 14:17],
        rotational_stiffness=rows[:, 17:18],
        rotational_damping=rows[:, 18:19],
    )
    command = Command(rows[:, 0:3], rows[:, 3:6], rows[:, 6:10], rows[:, CLOSED], gains)
    return command, gains, rows[:, 11] > 0
