"""Colours and the lamp, given to Newton's Warp renderer.

It draws shapes of its own model, whose colours were read from the stage once. They are written where it reads them.
Its lights are shared by all environments and lie in the world, so that a lamp for each environment is not possible: one
light comes from the middle of where lamps are (``LAMP``), as from far away, in every episode.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import warp

from hpvqa.scene.room import AIM
from hpvqa.scene.spec import EpisodeSpec, Vec3
from hpvqa.sim.isaac.look import surfaces

LAMP: Vec3 = (0.9, 0.0, 2.0)
"""Where the lamp's light comes from, on its way to the work area [m]."""


class Look:
    """Writes looks into a renderer.

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
                    name = label.removeprefix(f"{path}/").split("/")[0]
                    self._shapes[number].setdefault(name, []).append(shape)

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
    """Set the one light of a renderer.

    Args:
        sensor: Newton's tiled camera.
    """
    way = np.array(AIM) - np.array(LAMP)
    sensor.utils.create_default_light(enable_shadows=True, direction=warp.vec3f(*(way / np.linalg.norm(way)).tolist()))
