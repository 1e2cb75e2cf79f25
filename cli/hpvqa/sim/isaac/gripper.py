"""Where the pinch frame is on the robot's last link, worked out from where its fingers are.

Models of the Panda with a 2F-85 differ in how the gripper is turned about the flange. The fingers tell: they open along
the pinch frame's y axis. Its z axis is the flange's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hpvqa.errors import RunError

PINCH_DISTANCE = 0.107 + 0.1534 + 0.014
"""From the origin of the last link along its z axis to the pinch point [m]: the middle of the pads when closed.

The flange; from the gripper's base, which is mounted there without a coupling, to the middle of the open pads; how much
further out closed ones are. Measured by others on Isaac Sim's model: docs/isaac-sim.md says by whom. The embedded
simulator's model of the same gripper has another distance."""
HAND_YAW = -math.pi / 4
"""How the Panda's own hand is turned about the flange's axis [rad]: at rest, it faces forward."""
_MAX_OFF_AXIS = 0.01
_MIN_APART = 0.01


def pinch_yaw(left: Tensor, right: Tensor) -> Tensor:
    """Angle of the pinch frame about the last link's z axis.

    Args:
        left: Centre of mass of the left finger, in the last link's frame, shape (n, 3) [m].
        right: The right finger, likewise.

    Returns:
        Shape (n,) [rad]. A gripper looks the same turned by half a turn; the one nearer to the hand's is meant.

    Raises:
        RunError: The fingers are not on both sides of the axis: the model is mounted in a way not foreseen.
    """
    middle, apart = (left + right) / 2, left - right
    off = float(middle[:, :2].norm(dim=1).max())
    width = float(apart[:, :2].norm(dim=1).min())
    if off > _MAX_OFF_AXIS or width < _MIN_APART or float(middle[:, 2].min()) < 0:
        raise RunError(
            f"The gripper is mounted otherwise than expected: the middle of its fingers is {1000 * off:.0f} mm beside "
            f"the flange's axis, they are {1000 * width:.0f} mm apart; see the checklist in docs/isaac-sim.md"
        )
    # The pinch frame's y axis is (-sin, cos) in the link's frame.
    yaw = torch.atan2(-apart[:, 0], apart[:, 1])
    return HAND_YAW + torch.remainder(yaw - HAND_YAW + math.pi / 2, math.pi) - math.pi / 2


def pinch_offset(yaw: Tensor) -> tuple[Tensor, Tensor]:
    """Position, shape (n, 3) [m], and orientation (w, x, y, z), shape (n, 4), of the pinch frame on the last link."""
    zero = torch.zeros_like(yaw)
    position = torch.stack([zero, zero, torch.full_like(yaw, PINCH_DISTANCE)], dim=1)
    return position, torch.stack([torch.cos(yaw / 2), zero, zero, torch.sin(yaw / 2)], dim=1)
