"""What friction and restitution do, tried before the first episode: values that are read back may be without effect.

PhysX combines the values of both partners of a contact by modes that lie elsewhere (``hpvqa.sim.isaac.materials``).
While the arm goes to its start, balls fall and boxes slide, with the values of the episode to come.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hpvqa.errors import RunError
from hpvqa.scene.spec import GRAVITY, EpisodeSpec, Thing
from hpvqa.sim.isaaclab3.apply import poses

DROP = 0.2
"""How far balls fall [m]; they are up again within 0.4 s."""
SPEED = 0.4
"""With which boxes begin to slide, forwards [m/s]."""
REBOUND_TOLERANCE = 0.02
"""Of a rebound over the drop; modes that average halve the restitution and leave a quarter of the rebound."""
SLIDE_TOLERANCE = 0.15
"""Of a way; modes that average with a table of friction 1 shorten it by 43 % where friction is 0.4."""
_TOUCHING = 0.004
"""A ball that is lower than this is at the table [m]."""
_AWAY = 5
"""Steps after which it has left the table."""


class Trial:
    """A drop of every ball and a slide of every box.

    Args:
        env: The environment, just reset.
        specs: What its environments are.
    """

    def __init__(self, env: Any, specs: Sequence[EpisodeSpec]) -> None:
        self._scene = env.scene
        self._things = {name: [spec.thing(name) for spec in specs] for name in specs[0].names}
        self._starts = {name: poses(env, things) for name, things in self._things.items()}
        self._seen: list[dict[str, Tensor]] = []
        for name, things in self._things.items():
            pose, speed = self._starts[name].clone(), torch.zeros(len(things), 6, device=env.device)
            if things[0].shape == "sphere":
                pose[:, 2] += DROP
            else:
                speed[:, 0] = SPEED
            env.scene[name].write_root_pose_to_sim_index(root_pose=pose)
            env.scene[name].write_root_velocity_to_sim_index(root_velocity=speed)

    def watch(self) -> None:
        """See where things are, after a physics step."""
        self._seen.append(
            {name: self._scene[name].data.root_pos_w.torch - self._starts[name][:, :3] for name in self._things}
        )

    def check(self) -> None:
        """Compare what was seen with the laws.

        Raises:
            RunError: Friction or restitution are without effect, or have another one.
        """
        for name, things in self._things.items():
            ways = torch.stack([moment[name] for moment in self._seen])
            for number, thing in enumerate(things):
                way = ways[:, number]
                words = _rebound(thing, way[:, 2]) if thing.shape == "sphere" else _slide(thing, way[-1, 0])
                if words:
                    raise RunError(f"PhysX does not give things the friction and restitution that they have: {words}")


def _rebound(thing: Thing, heights: Tensor) -> str:
    low = (heights < _TOUCHING).nonzero()
    ratio = float(heights[int(low[0]) + _AWAY :].max()) / DROP if len(low) else 1.0
    law = thing.restitution**2
    return "" if abs(ratio - law) < REBOUND_TOLERANCE else f"{thing.words} rebounds to {ratio:.2f} instead of {law:.2f}"


def _slide(thing: Thing, way: Tensor) -> str:
    found, law = float(way), SPEED**2 / (2 * thing.friction * GRAVITY)
    if abs(found - law) < SLIDE_TOLERANCE * law:
        return ""
    return f"{thing.words} slides {1000 * found:.0f} mm instead of {1000 * law:.0f} mm"
