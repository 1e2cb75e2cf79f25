"""Rooms of wood, fabric and plastic, in the colours that these come in."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from hpvqa.scene.spec import Color, RoomSpec, Surface

Palette = tuple[Color, ...]

_WOODS: Palette = (
    (0.78, 0.62, 0.44),  # maple
    (0.70, 0.50, 0.32),  # oak
    (0.56, 0.37, 0.24),  # cherry
    (0.42, 0.28, 0.19),  # walnut
    (0.82, 0.72, 0.58),  # birch
)
_CLOTHS: Palette = (
    (0.60, 0.61, 0.62),
    (0.44, 0.46, 0.50),
    (0.70, 0.66, 0.59),
    (0.38, 0.44, 0.42),
    (0.52, 0.45, 0.42),
)
_PLASTICS: Palette = (
    (0.88, 0.88, 0.86),
    (0.66, 0.67, 0.68),
    (0.34, 0.36, 0.39),
    (0.78, 0.76, 0.70),
    (0.55, 0.62, 0.66),
)
_PAINTS: Palette = (
    (0.86, 0.85, 0.82),
    (0.80, 0.83, 0.84),
    (0.84, 0.80, 0.73),
    (0.72, 0.76, 0.74),
    (0.76, 0.74, 0.78),
)
TABLES: Mapping[Surface, Palette] = {"wood": _WOODS, "fabric": _CLOTHS, "plastic": _PLASTICS}
FLOORS = TABLES
WALLS: Mapping[Surface, Palette] = {"plain": _PAINTS, "fabric": _CLOTHS}
_SHADE = 0.04
"""No two boards are quite alike: colours vary by up to this much, all channels together."""


def material_room(rng: np.random.Generator) -> RoomSpec:
    """Draw a room: a material each for table, floor and walls, and a colour of it; opposite walls are alike."""
    table, floor, walls = (_surface(rng, kinds) for kinds in (TABLES, FLOORS, WALLS))
    sides = [_color(rng, WALLS[walls]) for _ in range(2)]
    return RoomSpec(
        table=_color(rng, TABLES[table]),
        floor=_color(rng, FLOORS[floor]),
        walls=(sides[0], sides[1], sides[0], sides[1]),
        surfaces=(table, floor, walls),
    )


def _surface(rng: np.random.Generator, kinds: Mapping[Surface, Palette]) -> Surface:
    return list(kinds)[int(rng.integers(len(kinds)))]


def _color(rng: np.random.Generator, palette: Palette) -> Color:
    r, g, b = np.array(palette[int(rng.integers(len(palette)))]) + rng.uniform(-_SHADE, _SHADE)
    return (float(r), float(g), float(b))
