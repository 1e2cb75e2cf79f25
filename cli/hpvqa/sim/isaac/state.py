"""What is read of the arms of all environments."""

from __future__ import annotations

from dataclasses import dataclass

from torch import Tensor


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
