"""Where the pinch frame is on the robot's last link, worked out from where its fingers are.

Models of the Panda with a 2F-85 differ in how the gripper is turned about the flange. The fingers tell: they open along
the pinch frame's y axis. Its z axis is the flange's.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from hpvqa.errors import RunError

PINCH_DISTANCE = 0.107 + 0.0038 + 0.145
"""From the origin of the last link along its z axis to the pinch point [m]: flange, coupling, finger tips.

The same in the embedded simulator's model (bodies attachment and base, site pinch)."""
HAND_YAW = -math.pi / 4
"""How the Panda's own hand is turned about the flange's axis [rad]: at rest, it faces forward."""
_MAX_OFF_AXIS = 0.01
_MIN_APART = 0.01


def pinch_yaw(left: Tensor, right: Tensor) -> Tensor:
    """Angle of the pinch frame about the last link's z axis.

    Args:
        left: The left finger in the last link's frame, shape (n, 3) [m].
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
