"""From where a scene can be viewed."""

from __future__ import annotations

import math

import numpy as np

from hpvqa.explore.layouts.types import LayoutType
from hpvqa.explore.scene import View
from hpvqa.scene.camera import look_at
from hpvqa.scene.spec import CameraSpec, Vec3

TARGET: Vec3 = (0.50, 0.0, 0.02)
"""What a viewer looks at that is not turned [m]."""
_DISTANCE = (0.92, 1.0)
_FOCAL = 28.0
"""So long that what is beyond the ends of the table is not seen at first [mm]."""
_TURN = 12.0
"""By so much a viewer turns, two steps to either side [degrees]: after one, what it saw before is still in sight."""
_TURNS = (-1, 1, -2, 2)
_WIDEST = 75.0
"""Further around, the arm is in the way [degrees]."""
_TRIES = 20


def draw_views(kind: LayoutType, stride: float, rng: np.random.Generator) -> tuple[View, ...] | None:
    """The views of a layout, the first one first; None where no arc fits."""
    menu = kind.menu
    elevation = rng.uniform(*kind.elevation)
    distance = rng.uniform(*_DISTANCE)
    for _ in range(_TRIES):
        first, before = rng.uniform(-menu.first, menu.first), int(rng.integers(menu.arc + 1))
        azimuths = [first + stride * (number - before) for number in range(menu.arc + 1)]
        if max(map(abs, azimuths)) <= _WIDEST:
            break
    else:
        return None
    levels = [elevation, *(elevation + more for more in menu.levels)]
    # Number of the place around, of the level, and how it is turned.
    cells = [(a, level, 0) for level in range(len(levels)) for a in range(len(azimuths))]
    cells.sort(key=lambda cell: cell[:2] != (before, 0))
    if menu.turns:
        cells += [(a, 0, turn) for a in range(len(azimuths)) for turn in _TURNS]
    numbers = {cell: number for number, cell in enumerate(cells)}
    views = []
    for a, level, turn in cells:
        exits = []
        # At a smaller azimuth the viewer is further to its own left.
        steps = {
            ("move viewer", "left"): (a - 1, level, 0),
            ("move viewer", "right"): (a + 1, level, 0),
            ("move viewer", "up"): (a, level + 1, 0),
            ("move viewer", "down"): (a, level - 1, 0),
            ("turn viewer", "left"): (a, level, turn - 1),
            ("turn viewer", "right"): (a, level, turn + 1),
        }
        for (step, way), cell in steps.items():
            if cell in numbers and cell != (a, level, turn):
                exits.append((step, way, numbers[cell]))
        camera = _camera(azimuths[a], levels[level], _TURN * turn, distance)
        turned = f", turned {abs(turn) * _TURN:.0f}° to the {'right' if turn > 0 else 'left'}" if turn else ""
        words = (
            f"{abs(azimuths[a]):.0f}° to the {'right' if azimuths[a] > 0 else 'left'}, {levels[level]:.0f}° up{turned}"
        )
        views.append(View(words=words, camera=camera, exits=tuple(exits)))
    return tuple(views)


def _camera(azimuth: float, elevation: float, turn: float, distance: float) -> CameraSpec:
    """A camera around the target, turned to its right by so much [degrees]."""
    a, e, t = (math.radians(angle) for angle in (azimuth, elevation, turn))
    level, up = distance * math.cos(e), distance * math.sin(e)
    position = (TARGET[0] + level * math.cos(a), TARGET[1] + level * math.sin(a), TARGET[2] + up)
    # Turned clockwise about the vertical, as seen from above.
    towards = (
        position[0] - level * math.cos(a - t),
        position[1] - level * math.sin(a - t),
        TARGET[2],
    )
    return CameraSpec(name="viewer", position=position, quat_wxyz=look_at(position, towards), focal_length=_FOCAL)
