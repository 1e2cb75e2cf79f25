"""What friction, restitution and stiffness do, tried before the first episode: what is read back may have no effect.

PhysX combines the values of both partners of a contact by modes that lie elsewhere (``hpvqa.sim.isaac.materials``).
While the arm goes to its start, balls fall, boxes slide and plates are pressed, with the values of the episode to
come.
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
PRESSED = 0.02
"""How far a constant force presses plates down that have their stiffness [m]."""
SPEED = 0.4
"""With which boxes begin to slide, forwards [m/s]."""
REBOUND_TOLERANCE = 0.02
"""Of a rebound over the drop; modes that average halve the restitution and leave a quarter of the rebound."""
SLIDE_TOLERANCE = 0.15
"""Of a way; modes that average with a table of friction 1 shorten it by 43 % where friction is 0.4."""
PRESS_TOLERANCE = 0.05
"""Of that way."""
_TOUCHING = 0.004
"""A ball that is lower than this is at the table [m]."""
_AWAY = 5
"""Steps after which it has left the table."""


class Trial:
    """A drop of every ball, a slide of every box, a press of every plate.

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
            if things[0].shape == "spring":
                self._press(name, PRESSED)
                continue
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
            {name: self._scene[name].data.body_pos_w.torch[:, -1] - self._starts[name][:, :3] for name in self._things}
        )

    def check(self) -> None:
        """Compare what was seen with the laws, and press no longer.

        Raises:
            RunError: Friction, restitution or stiffness are without effect, or have another one.
        """
        for name, things in self._things.items():
            ways = torch.stack([moment[name] for moment in self._seen])
            if things[0].shape == "spring":
                self._press(name, 0.0)
            for number, thing in enumerate(things):
                words = _LAWS[thing.shape](thing, ways[:, number])
                if words:
                    raise RunError(f"PhysX does not give things the properties that they have: {words}")

    def _press(self, name: str, depth: float) -> None:
        """Press plates by what holds their springs so far down [m]."""
        forces = torch.tensor([[-depth * (thing.stiffness or 0.0)] for thing in self._things[name]])
        self._scene[name].actuators.target_command.set_effort_index(value=forces)


def _rebound(thing: Thing, way: Tensor) -> str:
    heights = way[:, 2]
    low = (heights < _TOUCHING).nonzero()
    ratio = float(heights[int(low[0]) + _AWAY :].max()) / DROP if len(low) else 1.0
    law = thing.restitution**2
    return "" if abs(ratio - law) < REBOUND_TOLERANCE else f"{thing.words} rebounds to {ratio:.2f} instead of {law:.2f}"


def _slide(thing: Thing, way: Tensor) -> str:
    found, law = float(way[-1, 0]), SPEED**2 / (2 * thing.friction * GRAVITY)
    if abs(found - law) < SLIDE_TOLERANCE * law:
        return ""
    return f"{thing.words} slides {1000 * found:.0f} mm instead of {1000 * law:.0f} mm"


def _deflection(thing: Thing, way: Tensor) -> str:
    found = -float(way[-1, 2])
    if abs(found - PRESSED) < PRESS_TOLERANCE * PRESSED:
        return ""
    return f"{thing.words} goes down {1000 * found:.1f} mm instead of {1000 * PRESSED:.1f} mm"


_LAWS = {"sphere": _rebound, "box": _slide, "spring": _deflection}
"""What is wrong with what was seen of a thing of this shape, in words; nothing if it is as it should be."""
