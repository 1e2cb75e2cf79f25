"""What is read of the arms of all environments."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor

from hpvqa.errors import RunError


@dataclass(frozen=True)
class ArmState:
    """State of n arms, in the world.

    Attributes:
        angles: Shape (n, 7) [rad].
        speeds: Shape (n, 7) [rad/s].
        position: Pinch point, relative to the environment's origin, shape (n, 3) [m].
        quat_wxyz: Orientation of the pinch frame, shape (n, 4).
        jacobian: Of the pinch point, shape (n, 6, 7).
    """

    angles: Tensor
    speeds: Tensor
    position: Tensor
    quat_wxyz: Tensor
    jacobian: Tensor


def require_fixed_base(robot: Any) -> None:
    """Make sure that a robot of Isaac Lab stands fast: a free one's Jacobian has other rows and columns.

    Args:
        robot: The articulation.

    Raises:
        RunError: Its base is free.
    """
    if not robot.is_fixed_base:
        raise RunError("The robot's base is not fixed to the world; its model is not one that this version knows")
