"""First stage: the vision tower learns to point at both objects and at the gripper, and to say where they are.

Answers of one bit teach a vision tower very slowly. Where things are in a picture is known to the simulator in full. So
each token that the vision tower makes is asked by a linear layer, which is thrown away later, whether a thing is at its
place in either of the two frames that it covers, and where in the world that thing is. How far a cube went depends on
its mass, but nobody says so here.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hpvqa.record.fitting import BAR, inner_size
from research.pretrain.network import Network
from research.pretrain.settings import ModelSettings, StageSettings
from research.pretrain.shots import pair
from research.pretrain.store import THINGS, Store

CENTRE = np.array([0.45, 0.0, 0.05], np.float32)
"""Middle of where things are [m]."""
SCALE = np.array([0.1, 0.2, 0.1], np.float32)
"""How far from there they mostly are [m]."""
PLACE = 5
"""Numbers of a place: where in the world, and where within the token's square, which is the easier to see."""
PLACE_WEIGHT = 6.0
"""Of the loss of places, against that of pointing."""
NOWHERE = -100
"""The cell of what is not in the picture; the loss leaves it out."""
FRAMES = 2
"""A token covers so many frames."""
PAIRS = 4
"""So many pairs of frames are taken of each clip that is decoded."""
SHAPES = ((1, 1), (4, 3), (16, 9))
"""Width to height of the clips that training frames look like; what these lack in height gets bars."""


class Pointer(nn.Module):  # type: ignore[misc] # torch is not typed
    """What is asked of each token.

    Args:
        width: Width of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.here = nn.Linear(width, FRAMES * len(THINGS))
        self.place = nn.Linear(width, PLACE * FRAMES * len(THINGS))

    def forward(self, tokens: Any) -> tuple[Any, Any]:
        """How likely each thing is at each token, and where it would be.

        Args:
            tokens: Shape (pairs, tokens, width).

        Returns:
            Logits, shape (pairs, 2 frames · things, tokens), and places as :func:`places_of` has them, shape (pairs,
            tokens, 2 frames · things, 5).
        """
        return self.here(tokens).transpose(1, 2), self.place(tokens).unflatten(-1, (FRAMES * len(THINGS), PLACE))


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
        self._stores = [(store, store.split(held_out)[0]) for store in stores]
        sizes = np.array([len(episodes) for _, episodes in self._stores], float)
        self._shares = sizes / sizes.sum()

    def loss(self, rng: np.random.Generator) -> Any:
        """The loss of a batch."""
        size = self._settings.batch_size
        drawn = [example for _ in range(0, size, PAIRS) for example in self._examples(rng)]
        images, cells, places = (np.stack(part) for part in zip(*drawn[:size], strict=True))
        tokens = self._network.look(images)[:, 0]
        logits, found = self._pointer(tokens)
        return pointing_loss(logits, found, torch.from_numpy(cells), torch.from_numpy(places))

    def _examples(
        self, rng: np.random.Generator
    ) -> list[tuple[NDArray[np.uint8], NDArray[np.int64], NDArray[np.float32]]]:
        """Pairs of frames of one clip, each with the tokens of all things and with their places."""
        store, episodes = self._stores[rng.choice(len(self._stores), p=self._shares)]
        episode, camera = int(rng.choice(episodes)), int(rng.integers(len(store.cameras)))
        clip, shape = store.images(episode, camera), SHAPES[int(rng.integers(len(SHAPES)))]
        moved, found = np.logical_or.reduce(store.moved(episode), axis=1), []
        for _ in range(PAIRS):
            frames = list(pair(moved, rng))
            images, pixels = cropped(clip[frames], store.pixels[episode, camera, frames], shape)
            world = store.world[episode, frames]
            if rng.random() < 0.5:
                images, pixels, world = mirrored(images, pixels, world)
            # Colours tell nothing, and mirrored worlds are as good as others: what is rarely seen is learnt as well.
            images = np.ascontiguousarray(images[..., rng.permutation(3)])
            pixels, world = pixels.reshape(-1, 2), world.reshape(-1, 3)
            found.append((images, cells_of(pixels, self._model), places_of(pixels, world, self._model.cell)))
        return found


def places_of(pixels: NDArray[np.float32], world: NDArray[np.float32], cell: int) -> NDArray[np.float32]:
    """Places as they are asked of tokens, about from -1 to 1, shape (n, 5).

    Args:
        pixels: In the picture [pixels], shape (n, 2).
        world: In the world [m], shape (n, 3).
        cell: Width and height of a token's square [pixels].
    """
    found: NDArray[np.float32] = np.concatenate([(world - CENTRE) / SCALE, 2 * (pixels % cell) / cell - 1], axis=1)
    return found.astype(np.float32)


def cropped(
    images: NDArray[np.uint8], pixels: NDArray[np.float32], shape: tuple[int, int]
) -> tuple[NDArray[np.uint8], NDArray[np.float32]]:
    """Square images as if the clip had been of another shape: a camera sees the same width of the world in any.

    Args:
        images: Shape (frames, side, side, 3).
        pixels: Places in them [pixels], shape (frames, things, 2); those that are not seen any more become NaN.
        shape: Width to height.
    """
    side = images.shape[1]
    high = inner_size(shape, (side, side))[1]
    if high == side:
        return images, pixels
    top = (side - high) // 2
    images = images.copy()
    images[:, :top] = images[:, top + high :] = BAR
    seen = (pixels[..., 1:] >= top) & (pixels[..., 1:] < top + high)
    return images, np.where(seen, pixels, np.float32(np.nan))


def mirrored(
    images: NDArray[np.uint8], pixels: NDArray[np.float32], world: NDArray[np.float32]
) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.float32]]:
    """The same scene with left and right exchanged.

    Args:
        images: Shape (frames, side, side, 3).
        pixels: Where left object, right object and gripper are [pixels], shape (frames, 3, 2).
        world: The same in the world [m], shape (frames, 3, 3).
    """
    order = [1, 0, 2]
    side = images.shape[2]
    flipped = pixels[:, order] * np.array([-1, 1], np.float32) + np.array([side, 0], np.float32)
    return images[:, :, ::-1], flipped, world[:, order] * np.array([1, -1, 1], np.float32)


def cells_of(pixels: NDArray[np.float32], model: ModelSettings) -> NDArray[np.int64]:
    """The number of the token at some places; :data:`NOWHERE` outside of the picture.

    Args:
        pixels: Places [pixels], shape (n, 2); NaN behind the camera.
        model: How large the model is.
    """
    inside = np.all((pixels >= 0) & (pixels < model.cells * model.cell), axis=1, keepdims=True)
    column, row = np.where(inside, pixels // model.cell, 0).astype(np.int64).T
    return np.where(inside[:, 0], row * model.cells + column, NOWHERE)


def pointing_loss(logits: Any, places: Any, cells: Any, true: Any) -> Any:
    """Cross entropy of where in the picture, and the error of the place, there; nothing if nothing is in a picture.

    Args:
        logits: Shape (pairs, things, tokens).
        places: Shape (pairs, tokens, things, 5).
        cells: The correct token, shape (pairs, things).
        true: The correct place, shape (pairs, things, 5).
    """
    inside = cells != NOWHERE
    count = max(int(inside.sum()), 1)
    found = nn.functional.cross_entropy(logits.flatten(0, 1), cells.flatten(), ignore_index=NOWHERE, reduction="sum")
    rows, things = torch.arange(len(cells))[:, None], torch.arange(cells.shape[1])[None]
    there = places[rows, cells.clamp(min=0), things]
    off = nn.functional.smooth_l1_loss(there[inside], true[inside], beta=0.1, reduction="sum") / true.shape[-1]
    return (found + PLACE_WEIGHT * off) / count
