"""The cube that several tasks use."""

from __future__ import annotations

from hpvqa.scene.spec import Color, Thing

EDGE = 0.05
"""[m]"""


def cube(name: str, x: float, y: float, color: Color, *, mass: float, friction: float) -> Thing:
    """A cube that stands on the table at (x, y) [m], of this mass [kg]."""
    return Thing(
        name=name,
        shape="box",
        size=(EDGE, EDGE, EDGE),
        position=(x, y, EDGE / 2),
        mass=mass,
        friction=friction,
        restitution=0.0,
        color=color,
    )
