"""What moves: rigid parts, each of one colour."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.cover import outline
from hpvqa.scene.room import STEEL
from hpvqa.scene.spec import Color, Thing
from hpvqa.scene.spring import BASE_HEIGHT, PLATE, PLATE_HEIGHT, STEM_RADIUS, travel
from hpvqa.sim.render.shapes import Mesh, ball, cylinder, rounded_box, together

THING_GLOSS = 0.25
_EDGE = 0.0015
"""Radius of a cube's edges [m]: what catches the light on a real one."""


@dataclass(frozen=True)
class Part:
    """Something rigid of one colour.

    Attributes:
        levels: Its mesh in its own frame, from the finest to the coarsest.
        color: sRGB.
        gloss: How much it shines, 0 to 1.
        label: What a segmentation calls it; not 0.
        chequered: The thing whose squares it bears; None if it is plain.
    """

    levels: tuple[Mesh, ...]
    color: Color
    gloss: float
    label: int
    chequered: Thing | None = None

    def corners(self) -> NDArray[np.float64]:
        """Corners of the box around it, shape (8, 3) [m]."""
        points = self.levels[0].points
        return np.array(list(product(*zip(points.min(axis=0), points.max(axis=0), strict=True))))


def thing_parts(thing: Thing, label: int) -> list[tuple[str, Part]]:
    """What a thing is drawn with: the parts, and how the name of the body that each belongs to ends."""
    if thing.shape == "spring":
        return _spring_parts(thing, label)
    return [("", Part(_levels(thing), thing.color, THING_GLOSS, label, _chequered(thing)))]


def _chequered(thing: Thing) -> Thing | None:
    return thing if thing.surface == "chequered" else None


def _levels(thing: Thing) -> tuple[Mesh, ...]:
    half = np.array(thing.size) / 2
    if thing.shape == "sphere":
        return tuple(ball(thing.half_height, steps) for steps in (6, 4, 3))
    if thing.shape == "cylinder":
        return tuple(cylinder(half[0], half[2], sides) for sides in (32, 20, 12))
    if thing.shape == "cover":
        return (together([rounded_box(np.array(size), _EDGE, 1).shifted(*middle) for middle, size in outline(thing)]),)
    return rounded_box(half, _EDGE, 2), rounded_box(half, _EDGE, 1)


def _spring_parts(thing: Thing, label: int) -> list[tuple[str, Part]]:
    across, along, top = (side / 2 for side in thing.size)
    base = rounded_box(np.array([across, along, BASE_HEIGHT / 2]), _EDGE, 1).shifted(0, 0, BASE_HEIGHT / 2 - top)
    plate = rounded_box(np.array([across, along, PLATE_HEIGHT / 2]), _EDGE, 1).shifted(0, 0, top - PLATE_HEIGHT / 2)
    # The stem goes down into the base with the plate.
    stem = cylinder(STEM_RADIUS, travel(thing) / 2, 12).shifted(0, 0, top - PLATE_HEIGHT - travel(thing) / 2)
    return [
        # Of its colour, which the table never has.
        ("", Part((base,), thing.color, THING_GLOSS, label, _chequered(thing))),
        (PLATE, Part((stem,), STEEL, THING_GLOSS, label)),
        (PLATE, Part((plate,), thing.color, THING_GLOSS, label, _chequered(thing))),
    ]


def packed(parts: Sequence[Part], first: int) -> tuple[NDArray[np.float32], list[NDArray[np.uint32]]]:
    """Vertices and levels for a :class:`hpvqa.sim.render.gl.Shape`.

    Args:
        parts: What it consists of.
        first: Number of the first part.
    """
    vertices, levels, count = [], [], 0
    for level in range(max(len(part.levels) for part in parts)):
        faces = []
        for number, part in enumerate(parts, first):
            mesh = part.levels[min(level, len(part.levels) - 1)]
            vertices.append(np.column_stack([mesh.points, mesh.normals, np.full(len(mesh.points), number)]))
            faces.append(mesh.faces + count)
            count += len(mesh.points)
        levels.append(np.concatenate(faces).astype(np.uint32))
    return np.concatenate(vertices).astype(np.float32), levels
