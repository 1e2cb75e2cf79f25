"""From where experiments are watched: places around the table, low and from above."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from hpvqa.explore.scene import View
from hpvqa.scene.camera import look_at
from hpvqa.scene.spec import CameraSpec, LightSpec, Vec3

TARGET: Vec3 = (0.46, 0.0, 0.04)
"""What every viewer looks at [m]."""
DISTANCE = (0.94, 1.02)
_FOCAL = 24.0
"""So short that all things stay in the picture, however far they go [mm]."""
AZIMUTHS = (-72, -36, 0, 36, 72)
"""Around the table, 0 facing the robot, towards the robot's left [degrees]."""
ELEVATIONS = {"low": 14, "above": 76}
"""[degrees]"""
_ARC = 3
"""So many places next to each other a scene has."""
LIGHT = LightSpec(position=(1.1, -0.5, 1.8), shadows=False)
_SIDES = {0: "in front of the robot", 36: "obliquely in front of the robot", 72: "beside the table"}


@dataclass(frozen=True)
class Stand:
    """One of the places.

    Attributes:
        azimuth: One of ``AZIMUTHS``.
        level: One of ``ELEVATIONS``.
    """

    azimuth: int
    level: str

    @property
    def name(self) -> str:
        """What it is called among calibrated figures: both sides of the table are alike."""
        return f"{self.level} {abs(self.azimuth)}"

    @property
    def words(self) -> str:
        """Where that is, for a person."""
        side = "" if not self.azimuth else " on the robot's left" if self.azimuth > 0 else " on the robot's right"
        return f"{_SIDES[abs(self.azimuth)]}{side}, {'near the table' if self.level == 'low' else 'from above'}"

    def camera(self, distance: float) -> CameraSpec:
        """A camera there, so far from what it looks at [m]."""
        azimuth, elevation = (math.radians(angle) for angle in (self.azimuth, ELEVATIONS[self.level]))
        out = np.array([math.cos(azimuth), math.sin(azimuth)]) * math.cos(elevation)
        x, y, z = TARGET + distance * np.array([*out, math.sin(elevation)])
        position = (float(x), float(y), float(z))
        return CameraSpec(name="viewer", position=position, quat_wxyz=look_at(position, TARGET), focal_length=_FOCAL)


def draw_stands(rng: np.random.Generator) -> list[Stand]:
    """The places of a scene: three next to each other around the table, low and from above."""
    first = int(rng.integers(len(AZIMUTHS) - _ARC + 1))
    return [Stand(azimuth, level) for level in ELEVATIONS for azimuth in AZIMUTHS[first : first + _ARC]]


def views(stands: Sequence[Stand], distance: float) -> tuple[View, ...]:
    """The views from places, and the steps between them.

    Args:
        stands: The places, as drawn.
        distance: From each to what is looked at [m].
    """
    found = []
    for number, stand in enumerate(stands):
        place, level = number % _ARC, number // _ARC
        # At a smaller azimuth the viewer is further to its own left.
        steps = [("left", place - 1, level), ("right", place + 1, level)]
        steps += [("up", place, level + 1), ("down", place, level - 1)]
        exits = tuple(
            ("move viewer", way, there + _ARC * above)
            for way, there, above in steps
            if 0 <= there < _ARC and 0 <= above < len(ELEVATIONS)
        )
        found.append(View.model_validate({"words": stand.words, "camera": stand.camera(distance), "exits": exits}))
    return tuple(found)
