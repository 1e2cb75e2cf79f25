"""How well the vision tower points: by how much it is off along the axis in which a probe's outcome shows."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence

import numpy as np
import torch
from pydantic import Field

from hpvqa.plain import Model
from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS
from research.pretrain.network import Network
from research.pretrain.pointing import CENTRE, SCALE, Pointer
from research.pretrain.store import Store

EPISODES = 6
"""Of each store."""


class PlaceError(Model):
    """How far off one camera's places are, of things that are away from where they started."""

    task: str
    rig: str
    camera: str
    error: float | None = Field(
        description="Mean of the absolute error along the probe's axis [m]; null if no such thing is in the picture."
    )
    frames: int = Field(description="How many places it is of.")

    def __str__(self) -> str:
        """In words."""
        view = f"{self.task}, {self.rig}, {self.camera}"
        if self.error is None:
            return f"{view}: shows nothing that has moved"
        return f"{view}: off by {1000 * self.error:.0f} mm ({self.frames} places)"

    def passes(self, gate: float) -> bool:
        """Whether it is off by no more than the gate [m]; what could not be judged does not pass."""
        return self.error is not None and self.error <= gate


def place_errors(network: Network, pointer: Pointer, stores: Sequence[Store], held_out: float) -> list[PlaceError]:
    """What the tower says of whole clips that it was not trained on, as evaluation shows them.

    Args:
        network: The model.
        pointer: What is asked of its tokens.
        stores: The episodes.
        held_out: Share of them that are held out.
    """
    found: dict[tuple[str, str, str], list[float]] = defaultdict(list)
    for store in stores:
        for episode in store.split(held_out)[1][:EPISODES].tolist():
            for camera, name in enumerate(store.cameras):
                key = store.task, store.records[episode].spec.rig, name
                found[key] += _errors(network, pointer, store, episode, camera)
    return [
        PlaceError(
            task=task, rig=rig, camera=camera, error=float(np.mean(errors)) if errors else None, frames=len(errors)
        )
        for (task, rig, camera), errors in sorted(found.items())
    ]


def _errors(network: Network, pointer: Pointer, store: Store, episode: int, camera: int) -> Iterator[float]:
    axis = "xyz".index(TASKS[store.task].probe.axis)
    clip, moved = store.images(episode, camera), store.moved(episode)
    pairs = np.stack([clip[: len(clip) // 2 * 2 : 2], clip[1::2]], axis=1)
    with torch.no_grad():
        logits, places = pointer(network.look(pairs)[:, 0])
    best = logits.argmax(-1)
    rows, things = torch.arange(len(best))[:, None], torch.arange(best.shape[1])[None]
    seen = (places[rows, best, things, :3].numpy() * SCALE + CENTRE).reshape(2 * len(pairs), -1, 3)
    for frame, places_there in enumerate(seen):
        for number in range(len(SIDES)):
            true = store.world[episode, frame, number, axis]
            u, v = store.pixels[episode, camera, frame, number]
            shown = 0 <= u < store.side and 0 <= v < store.side
            if shown and moved[frame, number]:
                yield float(abs(places_there[number, axis] - true))
