"""Meshes: their size, their orientation, and normals that follow the surface."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from hpvqa.sim.render.shapes import Mesh, ball, creased, rounded_box, shaded_like


def outward(mesh: Mesh) -> NDArray[np.float64]:
    """Cosine between the normal of each face and the mean of its corners' normals; NaN for faces without area."""
    a, b, c = (mesh.points[mesh.faces[:, corner]] for corner in range(3))
    flat = np.cross(b - a, c - a)
    with np.errstate(invalid="ignore"):
        flat /= np.where(np.linalg.norm(flat, axis=1) < 1e-14, np.nan, np.linalg.norm(flat, axis=1))[:, None]
    return np.einsum("ij,ij->i", flat, mesh.normals[mesh.faces].mean(axis=1))


def cylinder(sides: int) -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """A closed cylinder along z of radius and half height 1."""
    angle = 2 * np.pi * np.arange(sides) / sides
    ring = np.stack([np.cos(angle), np.sin(angle)], axis=1)
    points = np.vstack([np.column_stack([ring, np.full(sides, z)]) for z in (-1.0, 1.0)] + [[[0, 0, -1], [0, 0, 1]]])
    i, j = np.arange(sides), (np.arange(sides) + 1) % sides
    mantle = np.vstack([np.stack([i, j, j + sides], 1), np.stack([i, j + sides, i + sides], 1)])
    ends = [
        np.stack([j, i, np.full(sides, 2 * sides)], 1),
        np.stack([i + sides, j + sides, np.full(sides, 2 * sides + 1)], 1),
    ]
    return points, np.vstack([mantle, *ends])


@pytest.mark.parametrize("steps", [1, 2, 3])
def test_a_rounded_box_has_its_size_and_faces_outwards(steps: int) -> None:
    half = np.array([0.5, 0.25, 0.1])
    mesh = rounded_box(half, 0.02, steps)
    assert np.abs(mesh.points).max(axis=0) == pytest.approx(half)
    assert np.nanmin(outward(mesh)) > 0.7
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1)


def test_a_ball_is_round() -> None:
    mesh = ball(0.03, 4)
    assert np.linalg.norm(mesh.points, axis=1) == pytest.approx(0.03)
    assert np.nanmin(outward(mesh)) > 0.95


def test_normals_are_smooth_round_a_cylinder_and_sharp_at_its_ends() -> None:
    mesh = creased(*cylinder(24))
    mantle = np.abs(mesh.normals[:, 2]) < 0.5
    radial = mesh.points[mantle] * [1, 1, 0]
    assert np.einsum("ij,ij->i", mesh.normals[mantle], radial) == pytest.approx(1, abs=1e-3)
    assert np.abs(mesh.normals[~mantle][:, 2]) == pytest.approx(1)


def test_a_coarse_mesh_is_shaded_like_the_fine_one_that_it_stands_for() -> None:
    fine = creased(*cylinder(96))
    points, faces = cylinder(12)
    turned = points.copy()
    turned[:, :2] = points[:, :2] @ np.array([[np.cos(0.02), np.sin(0.02)], [-np.sin(0.02), np.cos(0.02)]])
    mesh = shaded_like(fine, turned, faces)
    mantle = np.abs(mesh.normals[:, 2]) < 0.5
    radial = mesh.points[mantle] * [1, 1, 0]
    assert np.einsum("ij,ij->i", mesh.normals[mantle], radial).min() > 0.998
    assert np.abs(mesh.normals[~mantle][:, 2]) == pytest.approx(1)
