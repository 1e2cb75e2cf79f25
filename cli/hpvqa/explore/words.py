"""What things in a scene look like: words, and the values that they stand for."""

from __future__ import annotations

from typing import Literal, get_args

from hpvqa.plain import Model
from hpvqa.scene.spec import Color, Thing, Vec3
from hpvqa.scene.spec import Shape as SimulatedShape

Shape = Literal["cube", "sphere", "cylinder", "board", "cover", "panel", "plate", "bar"]
"""The last two stand on benches alone."""
SHAPES: tuple[Shape, ...] = ("cube", "sphere", "cylinder")
"""Of what is asked about where things are hidden; all others only hide."""
Size = Literal["small", "large"]
SIZES: tuple[Size, ...] = get_args(Size)
Surface = Literal["plain", "chequered"]
SURFACES: tuple[Surface, ...] = get_args(Surface)
Attribute = Literal["color", "shape", "size", "surface"]
ATTRIBUTES: tuple[Attribute, ...] = get_args(Attribute)

COLORS: dict[str, Color] = {
    "red": (0.78, 0.10, 0.10),
    "green": (0.12, 0.52, 0.14),
    "blue": (0.12, 0.24, 0.80),
    "yellow": (0.92, 0.80, 0.10),
    "purple": (0.50, 0.16, 0.66),
    "cyan": (0.16, 0.74, 0.78),
}
"""Of what is asked about."""
HIDER_COLORS: dict[str, Color] = {
    "white": (0.92, 0.92, 0.90),
    "black": (0.10, 0.10, 0.11),
    "orange": (0.92, 0.46, 0.08),
    "pink": (0.92, 0.56, 0.68),
}
"""Of what only hides."""
_SIMULATED: dict[Shape, SimulatedShape] = {
    "cube": "box",
    "sphere": "sphere",
    "cylinder": "cylinder",
    "board": "box",
    "cover": "cover",
    "panel": "box",
}
EDGES: dict[Size, float] = {"small": 0.032, "large": 0.06}
"""Edge of a cube, diameter and height of all else [m]."""
BOARD: Vec3 = (0.12, 0.075, 0.02)
PANEL: Vec3 = (0.03, 0.10, 0.07)
COVER: Vec3 = (0.08, 0.08, 0.102)
"""Full size of a cover, its knob included [m]."""
_DENSITY = 900.0
"""[kg/m³]; so light that no plan needs to know it."""
_COVER_MASS = 0.15
_FRICTION = 0.8


def with_article(words: str) -> str:
    """Words for a thing with their article: a red cube, an orange board."""
    return f"{'an' if words[0] in 'aeiou' else 'a'} {words}"


class Look(Model):
    """How a thing looks, in words."""

    shape: Shape
    size: Size = "small"
    color: str
    surface: Surface = "plain"

    @property
    def words(self) -> str:
        """What a person calls it, without an article: small red cube; what only hides comes in one size."""
        parts = [self.size if self.shape in SHAPES else "", "chequered" if self.surface == "chequered" else ""]
        return " ".join(filter(None, (*parts, self.color, self.shape)))

    @property
    def full_size(self) -> Vec3:
        """Along x, y and z [m]."""
        edge = EDGES[self.size]
        return {"board": BOARD, "cover": COVER, "panel": PANEL}.get(self.shape, (edge, edge, edge))

    def thing(self, name: str, position: Vec3) -> Thing:
        """A thing that looks so, with its centre at a position [m]."""
        x, y, z = size = self.full_size
        return Thing(
            name=name,
            shape=_SIMULATED[self.shape],
            size=size,
            position=position,
            mass=_COVER_MASS if self.shape == "cover" else _DENSITY * x * y * z,
            friction=_FRICTION,
            restitution=0.0,
            color=(COLORS | HIDER_COLORS)[self.color],
            surface=self.surface,
        )
