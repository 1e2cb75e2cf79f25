"""Order of quaternions: ours is w, x, y, z; Isaac Lab 3's is x, y, z, w."""

from __future__ import annotations

from torch import Tensor

from hpvqa.scene.spec import Quat


def xyzw(quat_wxyz: Quat) -> Quat:
    """A quaternion in Isaac Lab's order."""
    w, x, y, z = quat_wxyz
    return x, y, z, w


def wxyz(quats: Tensor) -> Tensor:
    """Isaac Lab's quaternions, shape (..., 4), in our order."""
    return quats[..., [3, 0, 1, 2]]
