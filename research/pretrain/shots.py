"""Which frames a training clip shows, and what is asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from research.pretrain.questions import Question, displayed, questions_of
from research.pretrain.store import Store

OFTEN = 0.7
"""Share of pairs for pointing whose second frame shows something away from where it started."""


@dataclass(frozen=True)
class Shot:
    """Frames of a training clip, and what is asked.

    Attributes:
        frames: Which of the kept frames, an even number, ascending; some may be shown twice.
        questions: What is asked; some of it these frames may not show in some episodes.
    """

    frames: tuple[int, ...]
    questions: tuple[Question, ...]


class Director:
    """Draws shots of the episodes of a store, whose task has visible questions.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._order, self._place = questions_of(store.task)[:2], questions_of(store.task)[2:]
        self.telling = _telling(store) if self._place else ()

    def whole(self) -> Shot:
        """A whole clip, as evaluation shows it."""
        return Shot(even(range(len(self._store.numbers))), self._order)

    def comparing(self, end: int) -> Shot:
        """A still picture in which one object is further away, or higher.

        Args:
            end: The kept frame.
        """
        return Shot((end,) * 4, self._place)

    def draw(self, rng: np.random.Generator) -> Shot:
        """A shot to train on: a whole clip, or a part of one that ends when a place can be compared."""
        if not self.telling or rng.random() < 0.35:
            return Shot(even(self._thinned(rng)), self._order)
        end = int(rng.choice(self.telling))
        begin = end if rng.random() < 0.7 else int(rng.integers(0, end + 1))
        before = begin if rng.random() < 0.6 else int(rng.integers(0, begin + 1))
        frames = (int(rng.integers(0, before + 1)) if rng.random() < 0.4 else before, before, begin, end)
        mixed = frames[0] < end and rng.random() < 0.3
        if not mixed:
            return Shot(frames, self._place)
        swap = int(rng.random() < 0.5)
        return Shot(frames, (self._order[swap], self._place[1 - swap]))

    def _thinned(self, rng: np.random.Generator) -> Sequence[int]:
        """The frames of a whole clip, half the time only some of them, but always the first."""
        count = len(self._store.numbers)
        if rng.random() < 0.5:
            return range(count)
        kept = int(rng.integers(count // 2, count))
        return (0, *sorted(rng.permutation(np.arange(1, count))[: kept - 1].tolist()))


def pair(moved: NDArray[np.bool_], rng: np.random.Generator) -> tuple[int, int]:
    """Two frames that become one row of tokens, for pointing.

    Mostly they follow each other, as in a whole clip; now and then both are one, as in a still picture, or any two.
    Most of the time things stand where they stood at the start, which is soon learnt; so the second frame is mostly
    another.

    Args:
        moved: In which frames something is away from where it started, shape (frames,).
        rng: Where it is drawn from.
    """
    often = np.flatnonzero(moved)
    second = int(rng.choice(often)) if len(often) and rng.random() < OFTEN else int(rng.integers(len(moved)))
    chance = rng.random()
    if chance < 0.15:
        return second, second
    return (max(second - 1, 0) if chance < 0.85 else int(rng.integers(second + 1))), second


def _telling(store: Store) -> tuple[int, ...]:
    """Frames in which the places of both objects can be compared."""
    spans = displayed(store.records[0].spec)
    return tuple(frame for frame, time in enumerate(store.times) if any(begin <= time < end for begin, end in spans))


def even(frames: Sequence[int]) -> tuple[int, ...]:
    """An even number of frames, the last one shown twice if need be, as the model's family does it."""
    return (*frames, frames[-1]) if len(frames) % 2 else tuple(frames)
