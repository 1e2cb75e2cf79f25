"""Which frames a training clip shows, and what is asked about them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from research.pretrain.phases import phase
from research.pretrain.questions import NEARLY_UP, SETTLED, Question, questions_of
from research.pretrain.store import Store

NEAR = 0.55
"""A frame of a whole clip is shown up to so much earlier or later [s], for clips of other frame rates."""
FREE = 0.55
"""The gripper moves freely at least this long before it touches a cube [s]."""
_REACH = {"push": 6.0, "drop": 0.55}
"""How far apart the two frames of a token are at most [s]: pushes are seen far apart, bounces close together."""


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
    """Draws shots of the episodes of a store.

    Args:
        store: The store.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._order, self._place = questions_of(store.task)[:2], questions_of(store.task)[2:]
        self.telling = _telling(store)

    def whole(self) -> Shot:
        """A whole clip, as evaluation shows it."""
        return Shot(_even(self._store.whole), self._order)

    def comparing(self, end: int) -> Shot:
        """A still picture in which one object is further away, or higher.

        Args:
            end: The kept frame.
        """
        return Shot((end,) * 4, self._place)

    def draw(self, rng: np.random.Generator) -> Shot:
        """A shot to train on: a whole clip, or a part of one that ends when a place can be compared."""
        if not self.telling or rng.random() < 0.35:
            return Shot(_even(self._moved(rng)), self._order)
        end = int(rng.choice(self.telling))
        begin = end if rng.random() < 0.7 else int(rng.integers(0, end + 1))
        before = begin if rng.random() < 0.6 else int(rng.integers(0, begin + 1))
        frames = (int(rng.integers(0, before + 1)) if rng.random() < 0.4 else before, before, begin, end)
        mixed = frames[0] < end and rng.random() < 0.3
        if not mixed:
            return Shot(frames, self._place)
        swap = int(rng.random() < 0.5)
        return Shot(frames, (self._order[swap], self._place[1 - swap]))

    def pair(self, rng: np.random.Generator) -> tuple[int, int]:
        """Two frames that become one row of tokens, for pointing."""
        times = self._store.times
        second = int(rng.integers(len(times)))
        earliest = int(np.searchsorted(times, times[second] - _REACH[self._store.task]))
        return int(rng.integers(earliest, second + 1)), second

    def _moved(self, rng: np.random.Generator) -> tuple[int, ...]:
        """The frames of a whole clip, half the time each of them a little earlier or later, but for the first."""
        whole, times = self._store.whole, np.array(self._store.times)
        if rng.random() < 0.5:
            return whole
        near = [np.flatnonzero(np.abs(times - times[frame]) <= NEAR) for frame in whole[1:]]
        return (whole[0], *sorted(int(rng.choice(frames)) for frames in near))


def _telling(store: Store) -> tuple[int, ...]:
    """Kept frames in which the place of both objects can be compared in most episodes."""
    spec = store.records[0].spec
    if store.task == "push":
        begin, _ = phase(spec, "push", 0)
        spans = [(begin + FREE + SETTLED, phase(spec, "push", 1)[0] + FREE)]
    else:
        spans = [
            (phase(spec, "lift", number)[1] - NEARLY_UP, phase(spec, "settle", number)[1] - 1e-6) for number in (0, 1)
        ]
    return tuple(frame for frame, time in enumerate(store.times) if any(begin <= time <= end for begin, end in spans))


def _even(frames: Sequence[int]) -> tuple[int, ...]:
    """An even number of frames, the last one shown twice if need be, as the model's family does it."""
    return (*frames, frames[-1]) if len(frames) % 2 else tuple(frames)
