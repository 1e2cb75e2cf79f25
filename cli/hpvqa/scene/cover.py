"""How a cover is built: four walls, a lid, and a knob on it to lift it by."""

from __future__ import annotations

from hpvqa.scene.spec import Thing, Vec3

WALL = 0.003
"""Thickness of walls and lid [m]."""
KNOB = 0.024
"""Edge of the knob, a cube [m]; a thing's height includes it."""


def boxes(cover: Thing) -> dict[str, tuple[Vec3, Vec3]]:
    """Its parts, by what their names end in: middle, from the thing's centre, and half size [m]."""
    x, y, z = (side / 2 for side in cover.size)
    lid, inner = z - KNOB, y - WALL
    # From the lower end to the lid.
    middle, half = (lid - WALL - z) / 2, (lid - WALL + z) / 2
    return {
        "/lid": ((0.0, 0.0, lid - WALL / 2), (x, y, WALL / 2)),
        "/front": ((x - WALL / 2, 0.0, middle), (WALL / 2, y, half)),
        "/back": ((WALL / 2 - x, 0.0, middle), (WALL / 2, y, half)),
        "/left": ((0.0, inner + WALL / 2, middle), (x - WALL, WALL / 2, half)),
        "/right": ((0.0, -inner - WALL / 2, middle), (x - WALL, WALL / 2, half)),
        "": ((0.0, 0.0, z - KNOB / 2), (KNOB / 2, KNOB / 2, KNOB / 2)),
    }


def outline(cover: Thing) -> tuple[tuple[Vec3, Vec3], tuple[Vec3, Vec3]]:
    """What it looks like from outside: a box and its knob; middle, from the thing's centre, and half size [m]."""
    x, y, z = (side / 2 for side in cover.size)
    return ((0.0, 0.0, -KNOB / 2), (x, y, z - KNOB / 2)), boxes(cover)[""]
