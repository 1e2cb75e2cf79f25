"""First stage: the vision tower learns to point at both objects and at the gripper, and to say where they are.

Answers of one bit teach a vision tower very slowly. Where things are in a picture is known to the simulator in full. So
each token that the vision tower makes is asked by a linear layer, which is thrown away later, whether a thing is at its
place, and where in the world that thing is. How far a cube went depends on its mass, but nobody says so here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from research.pretrain.network import Network
from research.pretrain.settings import ModelSettings, StageSettings
from research.pretrain.shots import Director
from research.pretrain.store import THINGS, Store

CENTRE = np.array([0.45, 0.0, 0.05], np.float32)
"""Middle of where things are [m]."""
SCALE = np.array([0.1, 0.2, 0.1], np.float32)
"""How far from there they mostly are [m]."""
PLACE_WEIGHT = 4.0
"""Of the loss of places in the world, against that of pointing."""
NOWHERE = -100
"""The cell of what is not in the picture; the loss leaves it out."""


class Pointer(nn.Module):  # type: ignore[misc] # torch is not typed
    """What is asked of each token.

    Args:
        width: Width of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.here = nn.Linear(width, len(THINGS))
        self.place = nn.Linear(width, 3 * len(THINGS))

    def forward(self, tokens: Any) -> tuple[Any, Any]:
        """How likely each thing is at each token, and where it would be.

        Args:
            tokens: Shape (clips, tokens, width).

        Returns:
            Logits, shape (clips, things, tokens), and places in the world, shape (clips, tokens, things, 3).
        """
        return self.here(tokens).transpose(1, 2), self.place(tokens).unflatten(-1, (len(THINGS), 3))


class Pointing:
    """Batches of pairs of frames, and their loss.

    Args:
        network: The model.
        pointer: What is asked of its tokens.
        stores: The episodes, at least one store.
        held_out: Share of the episodes that are not trained on.
        settings: How the stage is trained.
        model: How large the model is.
    """

    def __init__(
        self,
        network: Network,
        pointer: Pointer,
        stores: Sequence[Store],
        held_out: float,
        settings: StageSettings,
        model: ModelSettings,
    ) -> None:
        self._network, self._pointer, self._settings, self._model = network, pointer, settings, model
        self._stores = [(store, Director(store), store.split(held_out)[0]) for store in stores]

    def loss(self, rng: np.random.Generator) -> Any:
        """The loss of a batch, which is of one task."""
        task = "drop" if rng.random() < self._settings.drop_share else "push"
        stores = [entry for entry in self._stores if entry[0].task == task] or self._stores
        shares = np.array([len(episodes) for _, _, episodes in stores], float)
        store, director, episodes = stores[rng.choice(len(stores), p=shares / shares.sum())]
        drawn = [self._example(store, director, episodes, rng) for _ in range(self._settings.batch_size)]
        images, cells, places = (np.stack(part) for part in zip(*drawn, strict=True))
        tokens = self._network.look(images)[:, 0]
        logits, found = self._pointer(tokens)
        return pointing_loss(logits, found, torch.from_numpy(cells), torch.from_numpy(places))

    def _example(
        self, store: Store, director: Director, episodes: NDArray[np.int64], rng: np.random.Generator
    ) -> tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.float32]]:
        episode, camera = int(rng.choice(episodes)), int(rng.integers(len(store.cameras)))
        first, second = director.pair(rng)
        images = store.images[episode, camera, [first, second]]
        pixels, world = store.pixels[episode, camera, second], store.world[episode, second]
        if rng.random() < 0.5:
            images, pixels, world = mirrored(images, pixels, world)
        # Colours tell nothing, and mirrored worlds are as good as others: what is seen less often is learnt as well.
        images = images[..., rng.permutation(3)]
        return (
            np.ascontiguousarray(images),
            cells_of(pixels, self._model),
            ((world - CENTRE) / SCALE).astype(np.float32),
        )


def mirrored(
    images: NDArray[np.uint8], pixels: NDArray[np.float32], world: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """The same scene with left and right exchanged.

    Args:
        images: Shape (frames, side, side, 3).
        pixels: Where left object, right object and gripper are [pixels], shape (3, 2).
        world: The same in the world [m], shape (3, 3).
    """
    order = [1, 0, 2]
    side = images.shape[2]
    flipped = pixels[order] * np.array([-1, 1], np.float32) + np.array([side, 0], np.float32)
    return images[:, :, ::-1], flipped, world[order] * np.array([1, -1, 1], np.float32)


def cells_of(pixels: NDArray[np.float32], model: ModelSettings) -> NDArray[np.int64]:
    """The number of the token at some places; :data:`NOWHERE` outside of the picture.

    Args:
        pixels: Places [pixels], shape (things, 2); NaN behind the camera.
        model: How large the model is.
    """
    inside = np.all((pixels >= 0) & (pixels < model.cells * model.cell), axis=1, keepdims=True)
    column, row = np.where(inside, pixels // model.cell, 0).astype(np.int64).T
    return np.where(inside[:, 0], row * model.cells + column, NOWHERE)


def pointing_loss(logits: Any, places: Any, cells: Any, world: Any) -> Any:
    """Cross entropy of where in the picture, and the error of where in the world, there.

    Args:
        logits: Shape (clips, things, tokens).
        places: Shape (clips, tokens, things, 3).
        cells: The right token, shape (clips, things).
        world: The right place, shape (clips, things, 3).
    """
    inside = cells != NOWHERE
    found = nn.functional.cross_entropy(logits.flatten(0, 1), cells.flatten(), ignore_index=NOWHERE)
    rows, things = torch.arange(len(cells))[:, None], torch.arange(cells.shape[1])[None]
    there = places[rows, cells.clamp(min=0), things]
    return found + PLACE_WEIGHT * nn.functional.smooth_l1_loss(there[inside], world[inside], beta=0.1)
