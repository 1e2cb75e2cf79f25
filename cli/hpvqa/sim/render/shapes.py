"""Meshes of things, and normals that show round where it is round and an edge where there is one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

CREASE = np.radians(38.0)
"""Faces that meet at a larger angle show an edge [rad]."""


_FORGIVING = np.radians(50.0)
"""Faces of a simplified mesh meet at larger angles than those of the surface that they stand for [rad]."""
_CANDIDATES = 4
_CHUNK = 256


@dataclass(frozen=True)
class Mesh:
    """Triangles with normals.

    Attributes:
        points: Shape (n, 3) [m].
        normals: Shape (n, 3), of length 1.
        faces: Shape (m, 3), indices of points; counterclockwise from outside.
    """

    points: NDArray[np.float64]
    normals: NDArray[np.float64]
    faces: NDArray[np.int64]

    def shifted(self, x: float, y: float, z: float) -> Mesh:
        """The same elsewhere [m]."""
        return Mesh(self.points + np.array([x, y, z]), self.normals, self.faces)


def together(meshes: Sequence[Mesh]) -> Mesh:
    """Several meshes as one."""
    first = np.cumsum([0, *(len(mesh.points) for mesh in meshes)])
    return Mesh(
        np.concatenate([mesh.points for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.faces + start for mesh, start in zip(meshes, first, strict=False)]),
    )


def creased(points: NDArray[np.float64], faces: NDArray[np.int64], crease: float = CREASE) -> Mesh:
    """A mesh whose normals are the mean of those faces around a point that meet at a small angle.

    Args:
        points: Shape (n, 3).
        faces: Shape (m, 3), indices of points.
        crease: Largest such angle [rad].
    """
    corners = points[faces]
    cross = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    length = np.linalg.norm(cross, axis=1)
    keep = length > 1e-12
    faces, corners, cross, length = faces[keep], corners[keep], cross[keep], length[keep]
    flat = cross / length[:, None]
    # Every corner of a face is one candidate for a point; those of a point are compared with each other.
    point = faces.ravel()
    face = np.repeat(np.arange(len(faces)), 3)
    weight = cross[face] * _angles(corners).ravel()[:, None] / length[face, None]
    # All pairs of corners of the same point: how many corners of it there are, once for each of them.
    order = np.argsort(point, kind="stable")
    size = np.bincount(point, minlength=len(points))
    start = np.cumsum(size) - size
    first = np.repeat(np.arange(len(point)), size[point])
    step = np.arange(len(first)) - np.repeat(np.cumsum(size[point]) - size[point], size[point])
    second = order[start[point[first]] + step]
    alike = np.einsum("ij,ij->i", flat[face[first]], flat[face[second]]) > np.cos(crease)
    normals: NDArray[np.float64] = np.stack(
        [np.bincount(first, alike * weight[second, axis], minlength=len(point)) for axis in range(3)], axis=1
    )
    normals /= np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-12)
    key = np.column_stack([point, np.round(normals * 1e4)]).astype(np.int64)
    _, index, inverse = np.unique(key, axis=0, return_index=True, return_inverse=True)
    return Mesh(points[point[index]], normals[index], inverse.reshape(-1, 3))


def shaded_like(fine: Mesh, points: NDArray[np.float64], faces: NDArray[np.int64]) -> Mesh:
    """A simplified mesh with the normals of the mesh that it was made from, so that it looks as round.

    Args:
        fine: The original.
        points: Of the simplified mesh, shape (n, 3) [m].
        faces: Shape (m, 3), indices of points.
    """
    coarse = creased(points, faces, _FORGIVING)
    spots, squared = fine.points.astype(np.float32), (fine.points**2).sum(axis=1).astype(np.float32)
    near = np.empty((len(coarse.points), _CANDIDATES), np.int64)
    for start in range(0, len(near), _CHUNK):
        part = coarse.points[start : start + _CHUNK].astype(np.float32)
        # Up to the part's own square, which makes no difference.
        squares = squared - 2 * part @ spots.T
        near[start : start + _CHUNK] = np.argpartition(squares, _CANDIDATES, axis=1)[:, :_CANDIDATES]
    # Of the normals nearby, on this side of an edge and the other, the one that the face itself suggests.
    alike = np.einsum("nkj,nj->nk", fine.normals[near], coarse.normals)
    best = alike.argmax(axis=1)
    rows = np.arange(len(near))
    found = fine.normals[near[rows, best]]
    trusted = (alike[rows, best] > np.cos(_FORGIVING))[:, None]
    return Mesh(coarse.points, np.where(trusted, found, coarse.normals), coarse.faces)


def _angles(corners: NDArray[np.float64]) -> NDArray[np.float64]:
    """The angles of triangles at their corners, shape (m, 3) [rad]."""
    result = np.empty(corners.shape[:2])
    for i in range(3):
        a = corners[:, (i + 1) % 3] - corners[:, i]
        b = corners[:, (i + 2) % 3] - corners[:, i]
        cosine = (a * b).sum(1) / np.maximum(np.linalg.norm(a, axis=1) * np.linalg.norm(b, axis=1), 1e-15)
        result[:, i] = np.arccos(np.clip(cosine, -1, 1))
    return result


def rounded_box(half: NDArray[np.float64], radius: float, steps: int = 3) -> Mesh:
    """A box, centred at the origin, with rounded edges.

    Args:
        half: Half its size along x, y and z [m].
        radius: Of its edges [m].
        steps: Into how many strips an edge is cut.
    """
    bend = np.tan(np.linspace(0, np.pi / 4, steps + 1))
    line = np.concatenate([-1 - bend[::-1], 1 + bend])
    side = np.stack(np.meshgrid(line, line, indexing="ij"), -1).reshape(-1, 2)
    count = len(line)
    cell = np.arange(count * count).reshape(count, count)
    a, b, c, d = cell[:-1, :-1].ravel(), cell[1:, :-1].ravel(), cell[1:, 1:].ravel(), cell[:-1, 1:].ravel()
    quads = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)])
    inner = np.asarray(half) - radius
    points: list[NDArray[np.float64]] = []
    normals: list[NDArray[np.float64]] = []
    faces: list[NDArray[np.int64]] = []
    for axis in range(3):
        for sign in (-1.0, 1.0):
            # In units of the radius beyond the inner box: 0 on a flat side, 1 at the middle of an edge.
            over = np.empty((len(side), 3))
            over[:, axis] = sign
            over[:, (axis + 1) % 3] = np.sign(side[:, 0]) * (np.abs(side[:, 0]) - 1)
            over[:, (axis + 2) % 3] = sign * np.sign(side[:, 1]) * (np.abs(side[:, 1]) - 1)
            signs = np.empty_like(over)
            signs[:, axis] = sign
            signs[:, (axis + 1) % 3] = np.sign(side[:, 0])
            signs[:, (axis + 2) % 3] = sign * np.sign(side[:, 1])
            normal = over / np.linalg.norm(over, axis=1, keepdims=True)
            faces.append(quads + len(points) * len(side))
            points.append(signs * inner + radius * normal)
            normals.append(normal)
    return Mesh(np.vstack(points), np.vstack(normals), np.vstack(faces))


def ball(radius: float, steps: int) -> Mesh:
    """A sphere, centred at the origin, from a cube whose sides are cut into ``steps`` by ``steps`` squares."""
    box = rounded_box(np.full(3, radius), radius * (1 - 1e-9), steps)
    return Mesh(radius * box.normals, box.normals, box.faces)


def cylinder(radius: float, half_height: float, sides: int) -> Mesh:
    """An upright cylinder, centred at the origin, of so many flat sides, shaded round."""
    angle = 2 * np.pi * np.arange(sides) / sides
    around = np.stack([np.cos(angle), np.sin(angle), np.zeros(sides)], axis=1)
    up = np.array([0.0, 0.0, 1.0])
    rings = [radius * around + sign * half_height * up for sign in (-1, 1)]
    # The wall has its own points, for its normals are not those of the ends.
    points = np.vstack([*rings, *rings, -half_height * up, half_height * up])
    normals = np.vstack([around, around, -np.tile(up, (sides, 1)), np.tile(up, (sides, 1)), -up, up])
    low, after = np.arange(sides), np.roll(np.arange(sides), -1)
    high = low + sides
    wall = [np.stack([low, after, after + sides], 1), np.stack([low, after + sides, high], 1)]
    bottom = np.stack([np.full(sides, 4 * sides), after + 2 * sides, low + 2 * sides], 1)
    top = np.stack([np.full(sides, 4 * sides + 1), low + 3 * sides, after + 3 * sides], 1)
    return Mesh(points, normals, np.vstack([*wall, bottom, top]))
