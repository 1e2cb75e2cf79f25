"""Colours and the lamp of one episode, written onto the USD stage."""

from __future__ import annotations

from typing import Any

from hpvqa.scene import color as scene_color
from hpvqa.scene.spec import Color, EpisodeSpec
from hpvqa.sim.isaac import names


def linear(color: Color) -> Color:
    """Linear light of an sRGB colour, which is what USD's preview surface takes, as plain numbers."""
    r, g, b = scene_color.linear(color).tolist()
    return (r, g, b)


def surfaces(spec: EpisodeSpec) -> dict[str, Color]:
    """Colour (sRGB) of every coloured prim of an environment, by its name."""
    colors = {names.TABLE: spec.room.table, names.FLOOR: spec.room.floor}
    colors |= {names.wall(number): color for number, color in enumerate(spec.room.walls)}
    colors |= {thing.name: thing.color for thing in spec.things}
    return colors


def apply_look(stage: Any, environment: str, spec: EpisodeSpec) -> None:
    """Write colours and the lamp's position.

    Args:
        stage: The USD stage.
        environment: Path of the environment's prim.
        spec: The episode.
    """
    from pxr import Gf

    for name, color in surfaces(spec).items():
        _color_input(stage, f"{environment}/{name}").Set(Gf.Vec3f(*linear(color)))
    _lamp_place(stage, environment).Set(Gf.Vec3d(*spec.light.position))


def look_errors(stage: Any, environment: str, spec: EpisodeSpec) -> list[str]:
    """What on the stage differs from the spec, in words."""
    wrong = []
    for name, color in surfaces(spec).items():
        if not _near(_color_input(stage, f"{environment}/{name}").Get(), linear(color)):
            wrong.append(f"the colour of the {name}")
    if not _near(_lamp_place(stage, environment).Get(), spec.light.position):
        wrong.append("the lamp's position")
    return wrong


def _color_input(stage: Any, prim: str) -> Any:
    return _attribute(stage, names.shader(prim), "inputs:diffuseColor")


def _lamp_place(stage: Any, environment: str) -> Any:
    return _attribute(stage, f"{environment}/{names.LAMP}", "xformOp:translate")


def _attribute(stage: Any, path: str, name: str) -> Any:
    attribute = stage.GetPrimAtPath(path).GetAttribute(name)
    if not attribute:
        raise RuntimeError(f"the stage has no attribute {path}.{name}")
    return attribute


def _near(found: Any, wanted: Color) -> bool:
    return found is not None and max(abs(a - b) for a, b in zip(found, wanted, strict=True)) < 1e-5
