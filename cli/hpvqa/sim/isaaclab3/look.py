"""Colours and the lamp, given to Newton's Warp renderer.

It draws shapes of its own model, whose colours were read from the stage once. They are written where it reads them.
Its lights are shared by all environments and lie in the world, so that a lamp for each environment is not possible: one
light comes from the middle of where lamps are (``LAMP``), as from far away, in every episode, and four light what
stands upright, as walls and ceiling of the embedded simulator's room do.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import warp

from hpvqa.scene.color import encoded, linear
from hpvqa.scene.room import AIM, ROBOT_PAINT
from hpvqa.scene.spec import EpisodeSpec, Vec3
from hpvqa.sim.isaac.look import surfaces
from hpvqa.sim.isaac.names import ROBOT
from hpvqa.sim.isaaclab3.names import STEM

LAMP: Vec3 = (0.9, 0.0, 2.0)
"""Where the lamp's light comes from, on its way to the work area [m]."""
FILL = ((1.0, 1.0, 0.0), (1.0, -1.0, 0.0), (-1.0, -1.0, 0.0), (-1.0, 1.0, 0.0))
"""Ways of the light that fills the room, along the floor.

How bright a light is cannot be set. But one that something stands before shines at 0.3 of its brightness (Newton's
``shadow_min_visibility``), and before these there is always a wall: two of them together light a wall by 0.3 √2 = 0.42,
and none lights what faces up or down. With the 0.13 of Newton's own light from everywhere that is 0.55; the embedded
simulator's walls have 0.5 to 0.6 (``sim/render/shaders``)."""


class Look:
    """Writes looks into a renderer. The robot's is the same in every episode.

    Args:
        model: Newton's model, whose shapes are drawn.
        environments: Paths of the environments on the stage.
    """

    def __init__(self, model: Any, environments: list[str]) -> None:
        self._model = model
        self._shapes: list[dict[str, list[int]]] = [{} for _ in environments]
        for shape, label in enumerate(model.shape_label):
            for number, path in enumerate(environments):
                if label.startswith(f"{path}/"):
                    name, *within = label.removeprefix(f"{path}/").split("/")
                    if STEM not in within:
                        self._shapes[number].setdefault(name, []).append(shape)
        colors = model.shape_color.numpy()
        for shapes in self._shapes:
            colors[shapes[ROBOT]] = encoded(ROBOT_PAINT * linear(colors[shapes[ROBOT]]))
        model.shape_color.assign(colors)

    def apply(self, number: int, spec: EpisodeSpec) -> None:
        """Paint one environment as a spec says.

        Raises:
            KeyError: The renderer has no shape for something that has a colour.
        """
        colors = self._model.shape_color.numpy()
        for name, color in surfaces(spec).items():
            colors[self._shapes[number][name]] = color
        self._model.shape_color.assign(colors.astype(np.float32))

    def wrong(self, number: int, spec: EpisodeSpec) -> list[str]:
        """What is painted otherwise, in words."""
        colors = self._model.shape_color.numpy()
        return [
            f"the colour of the {name}"
            for name, color in surfaces(spec).items()
            if not np.allclose(colors[self._shapes[number][name]], color, atol=1e-5)
        ]


def light(sensor: Any) -> None:
    """Set the lights of a renderer.

    Args:
        sensor: Newton's tiled camera.
    """
    ways = np.array([np.subtract(AIM, LAMP), *FILL])
    ways /= np.linalg.norm(ways, axis=1, keepdims=True)
    # Its own way to set lights makes one. What else that one is, all of ours are.
    sensor.utils.create_default_light(enable_shadows=True)
    context = sensor._SensorTiledCamera__render_context
    for name in ("lights_active", "lights_type", "lights_cast_shadow", "lights_position"):
        one = getattr(context, name)
        same = np.repeat(one.numpy(), len(ways), axis=0)
        setattr(context, name, warp.array(same, dtype=one.dtype, device=one.device))
    context.lights_orientation = warp.array(ways.astype(np.float32), dtype=warp.vec3f, device=context.device)
