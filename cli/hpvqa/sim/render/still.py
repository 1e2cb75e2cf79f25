"""What stands still in an episode, as the shaders want it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.room import FLOOR_Z, LEG_HALF, LEGS, STAND, STAND_HALF, STEEL, TABLE_CENTER, TABLE_HALF
from hpvqa.scene.spec import WorldSpec
from hpvqa.sim.render.parts import Part
from hpvqa.sim.render.shapes import Mesh, rounded_box

BOXES = 2 + len(LEGS)
"""The table top, its legs, and the robot's stand."""


def boxes() -> NDArray[np.float64]:
    """Lowest and highest corner of each box, the table top first, shape (BOXES, 2, 3) [m]."""
    top = -2 * TABLE_HALF[2]
    found = [((*TABLE_CENTER, top / 2), TABLE_HALF)]
    found += [((x, y, (top + FLOOR_Z) / 2), (LEG_HALF, LEG_HALF, (top - FLOOR_Z) / 2)) for x, y in LEGS]
    found += [((*STAND, FLOOR_Z / 2), (STAND_HALF, STAND_HALF, -FLOOR_Z / 2))]
    centers, halves = np.array(found).transpose(1, 0, 2)
    return np.stack([centers - halves, centers + halves], axis=1)


def box_colors(spec: WorldSpec) -> NDArray[np.float64]:
    """Colours of the boxes (sRGB), shape (BOXES, 3)."""
    return np.array([spec.room.table, *[STEEL] * (BOXES - 1)])


def occluder() -> Part:
    """The boxes as something that can hide what moves; it is never seen itself."""
    meshes: list[tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.int64]]] = []
    for low, high in boxes():
        mesh = rounded_box((high - low) / 2, 1e-6, 1)
        meshes.append((mesh.points + (low + high) / 2, mesh.normals, mesh.faces + len(mesh.points) * len(meshes)))
    points, normals, faces = (np.concatenate(arrays) for arrays in zip(*meshes, strict=True))
    return Part((Mesh(points, normals, faces),), (0.0, 0.0, 0.0), 0.0, 0)
