"""What a calibrated camera says about where things are: points to pixels, and the image's colours at points."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

from hpvqa.record.episode import CameraRecord
from hpvqa.scene.camera import rotation


@dataclass(frozen=True)
class Samples:
    """Points of an image to be read again and again, bilinearly.

    Attributes:
        visible: Which points lie inside the image, any shape.
        corners: Flat indices of the four pixels around every visible point, shape (4, n).
        weights: Their weights, shape (4, n).
    """

    visible: NDArray[np.bool_]
    corners: NDArray[np.intp]
    weights: NDArray[np.float32]

    def read(self, image: NDArray[np.uint8] | NDArray[np.float32]) -> NDArray[np.float32]:
        """Values of an image (height, width, ...) at all points; those outside are NaN."""
        flat = image.reshape(image.shape[0] * image.shape[1], -1)
        values = np.full((*self.visible.shape, flat.shape[1]), np.nan, np.float32)
        values[self.visible] = (self.weights[..., None] * flat[self.corners]).sum(axis=0)
        return values.reshape(*self.visible.shape, *image.shape[2:])


@dataclass(frozen=True)
class View:
    """A camera with the size of its images [pixels]. Pixels need not be square."""

    camera: CameraRecord
    width: int
    height: int

    @property
    def position(self) -> NDArray[np.float64]:
        """Optical centre [m], shape (3,)."""
        return np.array(self.camera.camera.position)

    @property
    def axes(self) -> NDArray[np.float64]:
        """Right, up and backward direction of the camera in the world, in columns, shape (3, 3)."""
        return rotation(self.camera.camera.quat_wxyz)

    def project(self, points: ArrayLike) -> NDArray[np.float64]:
        """Pixels (u, v), shape (..., 2), of world points [m], shape (..., 3); NaN behind the camera."""
        local = (np.asarray(points, float) - self.position) @ self.axes
        depth = np.where(local[..., 2] < 0, -local[..., 2], np.nan)
        record = self.camera
        u = record.cx + record.fx * local[..., 0] / depth
        v = record.cy - record.fy * local[..., 1] / depth
        return np.stack([u, v], axis=-1)

    def samples(self, points: ArrayLike) -> Samples:
        """Where to read the colours of world points [m], shape (..., 3)."""
        # The centre of the first pixel is (0.5, 0.5).
        uv = self.project(points) - 0.5
        u, v = uv[..., 0], uv[..., 1]
        visible = (u >= 0) & (u <= self.width - 1) & (v >= 0) & (v <= self.height - 1)
        u, v = u[visible], v[visible]
        column = np.minimum(u.astype(np.intp), self.width - 2)
        row = np.minimum(v.astype(np.intp), self.height - 2)
        right, down = u - column, v - row
        first = row * self.width + column
        corners = np.stack([first, first + 1, first + self.width, first + self.width + 1])
        weights = np.stack([(1 - right) * (1 - down), right * (1 - down), (1 - right) * down, right * down])
        return Samples(visible, corners, weights.astype(np.float32))
