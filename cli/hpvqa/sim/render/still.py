"""What stands still in an episode, as the shaders want it."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.layers import DEPTH_SCALE
from hpvqa.scene.room import (
    FLOOR_Z,
    LEG_HALF,
    LEGS,
    ROOM_HALF,
    STAND,
    STAND_HALF,
    STEEL,
    TABLE_CENTER,
    TABLE_HALF,
    WALL_TOP,
)
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


def ranges(
    eye: NDArray[np.float64], turned: NDArray[np.float64], focal: float, width: int, height: int
) -> NDArray[np.uint16]:
    """How far away what stands still is along a camera's line of sight [mm], shape (height, width).

    Args:
        eye: Where the camera is, inside of the room, shape (3,) [m].
        turned: Its axes, as columns; it looks along its -z.
        focal: Its focal length [pixels].
        width: Of the picture [pixels].
        height: Of the picture [pixels].
    """
    across = (np.arange(width) + 0.5 - width / 2) / focal
    down = (np.arange(height) + 0.5 - height / 2) / focal
    # Along the line of sight these rays are one metre long, so that their lengths are what is asked for.
    rays = across[:, None] * turned[:, 0] - down[:, None, None] * turned[:, 1] - turned[:, 2]
    rays[rays == 0] = 1e-12
    low, high = np.array([-ROOM_HALF, -ROOM_HALF, FLOOR_Z]), np.array([ROOM_HALF, ROOM_HALF, WALL_TOP])
    nearest = ((np.where(rays > 0, high, low) - eye) / rays).min(axis=2)
    for corners in boxes():
        one, other = ((corner - eye) / rays for corner in corners)
        enter, leave = np.minimum(one, other).max(axis=2), np.maximum(one, other).min(axis=2)
        nearest = np.where((enter < leave) & (enter > 0), np.minimum(nearest, enter), nearest)
    found: NDArray[np.uint16] = np.rint(np.clip(DEPTH_SCALE * nearest, 0, 65535)).astype(np.uint16)
    return found
