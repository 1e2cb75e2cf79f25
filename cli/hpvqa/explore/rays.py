"""Which pixels of a camera show a thing, and what stands in front of it: by rays, as exact as a segmentation.

No simulator is needed, and what each thing hides is known apart, so that one look tells of every set of things that
could be taken away.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.camera import focal_pixels, rotation
from hpvqa.scene.cover import outline
from hpvqa.scene.spec import CameraSpec, Thing, Vec3

Array = NDArray[np.float64]

PIXELS = 384
"""Width and height of the pictures that everything is checked for."""


@dataclass(frozen=True)
class Body:
    """An upright box, cylinder or sphere.

    Attributes:
        shape: box, cylinder or sphere.
        center: Its middle [m].
        half: Half its size [m].
    """

    shape: str
    center: Array
    half: Array

    @property
    def radius(self) -> float:
        """Of a ball around it [m]."""
        return float(self.half[0] if self.shape == "sphere" else math.sqrt(self.half @ self.half))

    def distances(self, eye: Array, rays: Array) -> Array:
        """How far along rays, shape (n, 3), they meet it, in their lengths, shape (n,); infinite if they do not."""
        start = eye - self.center
        with np.errstate(divide="ignore", invalid="ignore"):
            if self.shape == "sphere":
                enter, leave = _round(start, rays, float(self.half[0]))
            else:
                flat = 2 if self.shape == "cylinder" else 0
                one, other = (-self.half - start)[flat:] / rays[:, flat:], (self.half - start)[flat:] / rays[:, flat:]
                enter, leave = np.minimum(one, other).max(axis=1), np.maximum(one, other).min(axis=1)
                if self.shape == "cylinder":
                    near, far = _round(start[:2], rays[:, :2], float(self.half[0]))
                    enter, leave = np.maximum(enter, near), np.minimum(leave, far)
        return np.where(enter <= leave, enter, np.inf)


def _round(start: Array, rays: Array, radius: float) -> tuple[Array, Array]:
    a, b = (rays**2).sum(axis=1), rays @ start
    root = b**2 - a * (start @ start - radius**2)
    side = np.sqrt(np.maximum(root, 0.0))
    return np.where(root >= 0, (-b - side) / a, np.inf), np.where(root >= 0, (-b + side) / a, -np.inf)


def bodies(thing: Thing, grown: float = 0.0, at: Vec3 | None = None) -> list[Body]:
    """What a thing looks like from outside.

    Args:
        thing: The thing.
        grown: By how much it is larger on every side [m].
        at: Where its centre is [m]; where it starts, if not given.
    """
    center = np.array(thing.position if at is None else at)
    if thing.shape == "cover":
        return [Body("box", center + middle, np.array(half) + grown) for middle, half in outline(thing)]
    return [Body(thing.shape, center, np.array(thing.size) / 2 + grown)]


@dataclass(frozen=True)
class Sight:
    """The pixels of a picture, and beyond its edges, whose centres would show a thing if nothing stood in front of it.

    Attributes:
        eye: Where the camera is [m].
        rays: Through these pixels, shape (n, 3).
        distances: How far along them the thing is, shape (n,).
        inside: Whether they are inside of the picture, shape (n,).
    """

    eye: Array
    rays: Array
    distances: Array
    inside: NDArray[np.bool_]

    @classmethod
    def of(cls, camera: CameraSpec, things: list[Body], pixels: int = PIXELS) -> Sight:
        """Look at a thing.

        Args:
            camera: From where.
            things: The bodies that it consists of, all in front of the camera.
            pixels: Width and height of the picture.
        """
        eye, turned = np.array(camera.position), rotation(camera.quat_wxyz)
        focal = focal_pixels(camera.focal_length, pixels)
        low: Array = np.full(2, np.inf)
        high: Array = np.full(2, -np.inf)
        for body in things:
            local = (body.center - eye) @ turned
            middle = local[:2] / -local[2] * focal
            reach = focal * body.radius / max(-local[2] - body.radius, 0.05) + 2
            low, high = np.minimum(low, middle - reach), np.maximum(high, middle + reach)
        # Centres of pixels lie half a pixel from the middle of a picture of even size.
        across, up = (np.arange(np.floor(a), np.ceil(b)) + 0.5 for a, b in zip(low, high, strict=True))
        u, v = (grid.ravel() for grid in np.meshgrid(across, up))
        rays = np.stack([u / focal, v / focal, -np.ones_like(u)], axis=1) @ turned.T
        distances = np.stack([body.distances(eye, rays) for body in things]).min(axis=0)
        hit = np.isfinite(distances)
        inside = (np.abs(u) < pixels / 2) & (np.abs(v) < pixels / 2)
        return cls(eye, rays[hit], distances[hit], inside[hit])

    def near(self, centers: Array, radii: Array) -> NDArray[np.bool_]:
        """Which of some balls, their middles of shape (m, 3), may stand in front of any of its pixels, shape (m,)."""
        if not len(self.rays):
            return np.zeros(len(radii), bool)
        lengths = np.sqrt((self.rays**2).sum(axis=1))
        middle = self.rays.sum(axis=0)
        middle /= math.sqrt(middle @ middle)
        spread = math.acos(min((self.rays @ middle / lengths).min(), 1.0))
        there = centers - self.eye
        away = np.sqrt((there**2).sum(axis=1))
        angles = np.arccos(np.clip(there @ middle / away, -1, 1))
        close = away - radii < (self.distances * lengths).max()
        return np.asarray(close & (angles < spread + np.arcsin(np.minimum(radii / away, 1.0))))

    def hidden_by(self, body: Body) -> NDArray[np.bool_]:
        """In which of its pixels a body stands in front of it, shape (n,)."""
        return np.asarray(body.distances(self.eye, self.rays) < self.distances)
