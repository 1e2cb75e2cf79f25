"""First stage: each token of a picture is asked what is there, by a linear layer that is thrown away later.

Afterwards the projector is made to say it in the language model's own words.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import nn

from hpvqa.explore.words import SURFACES
from hpvqa.plain import Model
from research.choose.model import normalised
from research.choose.pictures import BLOCK, FULL, KINDS, NAMES, STATES, UNKNOWN, Pictures

Things = Sequence[NDArray[np.float32]]
Shares = Sequence[NDArray[np.uint8]]
_PARTS = (len(KINDS) + 1, len(NAMES), len(SURFACES), len(STATES))
"""Kind, the last one: nothing; colour; surface; state."""
_NOTHING_WEIGHT = 0.3
_IGNORED = -100
_NOTHING = " on the table"
_STATE_WORDS = (": not to be seen", ": nothing", ", put aside")
"""What is said of what something hides, of what it no longer does, and of what was put aside."""
_MIRRORED = 0.5
_SHIFT = 3
"""Pictures are moved by so many squares at most, so that things are not always cut into patches alike [blocks]."""
_THERE, _TRACE = 0.05, 0.01
"""A token is asked about what takes so much of it; where there is less, but a trace, it is not asked what is there."""


class Named(Model):
    """How often the tower is correct about things in pictures that it was not trained on."""

    kind: float
    color: float
    surface: float
    state: float
    things: int


class Pointer(nn.Module):  # type: ignore[misc] # torch is not typed
    """What is asked of each token.

    Args:
        width: Width of a token.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.asked = nn.Linear(width, sum(_PARTS))

    def forward(self, tokens: Any) -> Any:
        """Logits of kind, colour, surface and state, each of shape (pictures, tokens, values)."""
        return self.asked(tokens).split(_PARTS, dim=-1)


class Pointing:
    """Batches of pictures, and their loss.

    Args:
        model: The model.
        pointer: What is asked.
        pictures: The pictures.
        batch: Pictures a step.
    """

    def __init__(self, model: Any, pointer: Pointer, pictures: Pictures, batch: int) -> None:
        self._model, self._pointer, self._batch = model, pointer, batch
        self._pictures = pictures

    def loss(self, rng: np.random.Generator) -> Any:
        """The loss of a batch; half of the pictures are mirrored, and all are moved a little."""
        kept = self._pictures
        rows = rng.integers(len(kept.images), size=self._batch)
        shown = [varied(kept.images[row], kept.shares[row], rng) for row in rows]
        images, shares = zip(*shown, strict=True)
        logits = self._pointer(self._model.model.get_image_features(normalised(np.stack(images))))
        targets = torch.from_numpy(targets_of([kept.things[row] for row in rows], shares, self._model.config))
        weight = torch.ones(_PARTS[0])
        weight[-1] = _NOTHING_WEIGHT
        total = nn.functional.cross_entropy(
            logits[0].flatten(0, 1), targets[..., 0].flatten(), weight=weight, ignore_index=_IGNORED
        )
        for part, logit in enumerate(logits[1:], 1):
            there = targets[..., part] != _IGNORED
            if there.any():
                total = total + nn.functional.cross_entropy(logit[there], targets[..., part][there])
        return total

    def check(self) -> Named:
        """How often it is correct, where something is."""
        kept, found = self._pictures, []
        with torch.no_grad():
            for begin in range(0, len(kept.images), self._batch):
                part = slice(begin, begin + self._batch)
                logits = self._pointer(self._model.model.get_image_features(normalised(kept.images[part])))
                guesses = torch.stack([logit.argmax(-1) for logit in logits], dim=-1).numpy()
                targets = centres_of(kept.things[part], self._model.config)
                there = targets[..., 0] != _IGNORED
                found.append(np.where(targets == _IGNORED, np.nan, guesses == targets)[there])
        shares = np.nanmean(np.concatenate(found), axis=0).tolist()
        return Named(kind=shares[0], color=shares[1], surface=shares[2], state=shares[3], things=sum(map(len, found)))


class Aligning:
    """Teaches the projector to make of a token what the words for the thing there are to the language model.

    Args:
        model: The model, which knows its words.
        tokenizer: Its tokenizer.
        seen: What the tower makes of pictures, and of the same mirrored; see :func:`research.choose.model.look`.
        pictures: The pictures.
        batch: Pictures a step.
    """

    def __init__(self, model: Any, tokenizer: Any, seen: tuple[Any, Any], pictures: Pictures, batch: int) -> None:
        self._projector, self._batch, self._seen = model.model.multi_modal_projector, batch, seen
        self._targets = tuple(
            torch.from_numpy(targets_of(pictures.things, shares, model.config))
            for shares in (pictures.shares, [share[:, :, ::-1] for share in pictures.shares])
        )
        table = model.get_input_embeddings().weight.detach()
        numbers = torch.tensor([tokenizer.convert_tokens_to_ids(name) for name in _STATE_WORDS])
        self._states = torch.cat([table[numbers], torch.zeros(1, table.shape[1])])
        self._names = torch.zeros(len(KINDS), len(NAMES), len(SURFACES), table.shape[1])
        for kind, (size, shape) in enumerate(KINDS):
            for color, name in enumerate(NAMES):
                for surface, how in enumerate(SURFACES):
                    words = " ".join(filter(None, (size, how.replace("plain", ""), name, shape)))
                    self._names[kind, color, surface] = table[tokenizer.convert_tokens_to_ids(f" {words}")]
        self._nothing = table[tokenizer.convert_tokens_to_ids(_NOTHING)]

    def loss(self, rng: np.random.Generator) -> Any:
        """How far a batch is from its words, as a share of their variance."""
        which = int(rng.random() < _MIRRORED)
        rows = rng.integers(len(self._seen[0]), size=self._batch)
        found = self._projector(self._seen[which][rows].float())
        targets = self._targets[which][rows]
        nothing = targets[..., 0] == len(KINDS)
        there = ~nothing & (targets[..., 0] != _IGNORED)
        kind, color, surface, state = targets[there].unbind(-1)
        wanted = self._names[kind, color, surface] + self._states[torch.where(state == _IGNORED, -1, state)]
        wrong = (found[there] - wanted).square().mean() + _NOTHING_WEIGHT * (
            found[nothing] - self._nothing
        ).square().mean()
        return wrong / wanted.var()


def targets_of(things: Things, shares: Shares, config: Any) -> NDArray[np.int64]:
    """What is at each token, shape (pictures, tokens, 4); of several things there, the smallest."""
    columns, rows = config.row // config.pool, config.row
    found = np.full((len(things), rows * columns, 4), _IGNORED, np.int64)
    for number, (table, share) in enumerate(zip(things, shares, strict=True)):
        side = share.shape[1]
        parts = share.reshape(len(table), rows, side // rows, columns, side // columns).mean((2, 4)) / FULL
        parts = parts.reshape(len(table), rows * columns)
        found[number, parts.max(0, initial=0.0) < _TRACE, 0] = len(KINDS)
        # Small things are written last: they are harder to see.
        for thing in np.argsort(-share.sum((1, 2), dtype=np.int64), kind="stable"):
            found[number, parts[thing] >= _THERE] = _asked(table[thing])
    return found


def centres_of(things: Things, config: Any) -> NDArray[np.int64]:
    """The same, of those tokens alone in which the middle of a thing is; of several, the one of the smallest kind."""
    columns, rows = config.row // config.pool, config.row
    found = np.full((len(things), rows * columns, 4), _IGNORED, np.int64)
    for number, table in enumerate(things):
        for thing in sorted(table, key=lambda thing: -thing[2]):
            cell = min(int(thing[1] * rows), rows - 1) * columns + min(int(thing[0] * columns), columns - 1)
            found[number, cell] = _asked(thing)
    return found


def _asked(thing: NDArray[np.float32]) -> list[int]:
    *known, state = thing[2:].astype(int).tolist()
    return [*known, _IGNORED if state == UNKNOWN else state]


def varied(
    image: NDArray[np.uint8], shares: NDArray[np.uint8], rng: np.random.Generator
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """A picture and where in it things are, half of the time mirrored, and both moved a little.

    Args:
        image: RGB, shape (side, side, 3).
        shares: As in :class:`research.choose.pictures.Picture`.
        rng: Draws how.
    """
    if rng.random() < _MIRRORED:
        image, shares = image[:, ::-1], shares[:, :, ::-1]
    right, down = rng.integers(-_SHIFT, _SHIFT + 1, 2)
    moved = _moved(shares.transpose(1, 2, 0), right, down, _SHIFT, "constant")
    return _moved(image, BLOCK * right, BLOCK * down, BLOCK * _SHIFT, "edge"), moved.transpose(2, 0, 1)


def _moved(picture: NDArray[np.uint8], right: int, down: int, most: int, fill: Any) -> NDArray[np.uint8]:
    """A picture, shape (rows, columns, ...), moved by some places; what comes in at its edge is filled."""
    wide = np.pad(picture, ((most, most), (most, most), (0, 0)), mode=fill)
    rows, columns = picture.shape[:2]
    return wide[most - down : most - down + rows, most - right : most - right + columns]
