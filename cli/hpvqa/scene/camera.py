"""Pinhole geometry shared by rigs, simulators and whatever reads pixels back into metres."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpvqa.scene.spec import CameraSpec, Quat, Vec3

HORIZONTAL_APERTURE = 20.955
"""Width of the sensor [mm] on which every focal length of a rig is given (USD's and Isaac Sim's default)."""


_SIDEWAYS = math.sin(math.radians(15.0))
"""A picture's horizontal that is closer than this to the robot's line of sight tells little of its left and right."""


def fovy(focal_length: float, width: int, height: int) -> float:
    """Vertical field of view [rad] of a ``focal_length`` [mm] lens for an image of ``width`` × ``height`` pixels."""
    return 2.0 * math.atan(HORIZONTAL_APERTURE * height / (2.0 * focal_length * width))


def focal_pixels(focal_length: float, width: int) -> float:
    """Focal length in pixels; the same along both image axes, for pixels are square."""
    return focal_length * width / HORIZONTAL_APERTURE


def rotation(quat_wxyz: Quat) -> NDArray[np.float64]:
    """Rotation matrix, shape (3, 3), camera (or body) to world, of a quaternion that need not be normalised."""
    w, x, y, z = np.asarray(quat_wxyz, float) / np.linalg.norm(quat_wxyz)
    return np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    )


def quaternion(matrix: NDArray[np.float64]) -> Quat:
    """Unit quaternion (w, x, y, z) of a rotation matrix, shape (3, 3); w is not negative."""
    # Each row of this symmetric matrix is a multiple of the quaternion (x, y, z, w); the longest is the most exact. No
    # linear algebra library is asked: its last digits depend on the processor, and a spec's must not.
    m = matrix
    rows = np.array(
        [
            [1 + m[0, 0] - m[1, 1] - m[2, 2], m[0, 1] + m[1, 0], m[0, 2] + m[2, 0], m[2, 1] - m[1, 2]],
            [m[0, 1] + m[1, 0], 1 - m[0, 0] + m[1, 1] - m[2, 2], m[1, 2] + m[2, 1], m[0, 2] - m[2, 0]],
            [m[0, 2] + m[2, 0], m[1, 2] + m[2, 1], 1 - m[0, 0] - m[1, 1] + m[2, 2], m[1, 0] - m[0, 1]],
            [m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1], 1 + m[0, 0] + m[1, 1] + m[2, 2]],
        ]
    )
    row = rows[np.argmax(np.diag(rows))]
    x, y, z, w = row / _length(row)
    sign = -1.0 if w < 0 else 1.0
    return (float(sign * w), float(sign * x), float(sign * y), float(sign * z))


def _length(vector: ArrayLike) -> float:
    return math.sqrt(math.fsum(float(part) * float(part) for part in np.asarray(vector)))


def faces_robot(camera: CameraSpec) -> bool | None:
    """Whether a camera sees the robot from the front, so that the robot's left is on the right of the picture.

    Returns:
        False from behind, where the robot's left is on the left of the picture; None from the side, where the one is
        hidden behind the other.
    """
    leftwards = float(rotation(camera.quat_wxyz)[1, 0])
    return None if abs(leftwards) < _SIDEWAYS else leftwards > 0


def look_at(position: Vec3, target: Vec3, up: Vec3 = (0.0, 0.0, 1.0)) -> Quat:
    """Orientation of a camera at ``position`` [m] that looks at ``target`` [m], ``up`` pointing upwards in the image.

    Raises:
        ValueError: Both points are the same, or ``up`` is parallel to the line of sight.
    """
    back = np.subtract(position, target)
    distance = _length(back)
    if distance < 1e-9:
        raise ValueError("a camera cannot look at its own position")
    back = back / distance
    right = np.cross(up, back)
    length = _length(right)
    if length < 1e-6:
        raise ValueError("the upward direction is parallel to the line of sight; give another `up`, such as [1, 0, 0]")
    right /= length
    return quaternion(np.stack([right, np.cross(back, right), back], axis=1))


def project(camera: CameraSpec, points: ArrayLike, width: int, height: int) -> NDArray[np.float64]:
    """Pixels (u, v) of world ``points`` [m], shape (n, 3) → (n, 2); NaN for points behind the camera.

    The origin is the image's top left corner, so the centre of the first pixel is (0.5, 0.5).
    """
    local = (np.asarray(points, float) - camera.position) @ rotation(camera.quat_wxyz)
    focal = focal_pixels(camera.focal_length, width)
    depth = np.where(local[:, 2] < 0, -local[:, 2], np.nan)
    return np.stack([width / 2 + focal * local[:, 0] / depth, height / 2 - focal * local[:, 1] / depth], axis=1)


def rays(camera: CameraSpec, pixels: ArrayLike, width: int, height: int) -> NDArray[np.float64]:
    """Directions in the world, shape (n, 3), not normalised, of the rays through ``pixels`` (u, v), shape (n, 2)."""
    uv = np.asarray(pixels, float)
    focal = focal_pixels(camera.focal_length, width)
    local = np.stack([(uv[:, 0] - width / 2) / focal, (height / 2 - uv[:, 1]) / focal, -np.ones(len(uv))], axis=1)
    return local @ rotation(camera.quat_wxyz).T
