"""Which frames a training clip shows, and what is asked about them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import repeat

import numpy as np

from hpvqa.pretrain.phases import phase
from hpvqa.pretrain.questions import NEARLY_UP, SETTLED, Question, questions_of
from hpvqa.pretrain.store import Store

NEAR = 0.55
"""A frame of a whole clip is shown up to so much earlier or later [s], for clips of other frame rates."""
FREE = 0.55
"""The gripper moves freely at least this long before it touches a cube [s]."""
FALL = 0.26
"""A sphere falls until this long after the robot began to let go of it [s]; then it reaches the table."""
CALM_AFTER = 1.2
"""Of spheres that are not too elastic, few are still bouncing this long after the robot began to let go of them [s]."""
Windows = tuple[tuple[int, ...], ...]
"""Kept frames in stretches of time."""
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
        questions = questions_of(store.task)
        self._order, self._place, self._free = questions[:2], questions[2:4], questions[4:]
        self.telling = _telling(store)
        self._falling = _falling(store)

    def whole(self) -> Shot:
        """A whole clip, as evaluation shows it."""
        return Shot(_even(self._store.whole), self._order)

    def comparing(self, end: int) -> Shot:
        """A still picture in which one object is further away, or higher.

        Args:
            end: The kept frame.
        """
        return Shot((end,) * 4, self._place)

    def _free_fall(self, rng: np.random.Generator, falls: Windows, calm: Windows) -> Shot:
        """Moments of a clip in which nothing bounces, and mostly one of each fall.

        Which moments of a fall are shown is drawn apart from all others, and so apart from whether a sphere still
        bounces in those: it tells nothing of its restitution.
        """
        shown = [int(rng.choice(fall)) for fall in falls if rng.random() < 0.8]
        shown += [int(rng.choice(window)) for window in calm[1:]]
        others = sorted({frame for window in calm for frame in window} - set(shown))
        missing = min((8 if rng.random() < 0.6 else 16) - len(shown), len(others))
        shown += [int(frame) for frame in rng.choice(others, missing, replace=False)]
        return Shot(_even(sorted(shown)), self._free)

    def asking(self, name: str, rng: np.random.Generator) -> Iterator[Shot]:
        """Shots to ask a question about, one after the other; they may not show the answer in some episodes."""
        if name in {question.name for question in self._free}:
            yield from (self._free_fall(rng, *falling) for falling in repeat(self._falling, 50) if falling)
        elif name in {question.name for question in self._place}:
            yield from (self.comparing(int(end)) for end in rng.permutation(self.telling))
        else:
            yield self.whole()

    def draw(self, rng: np.random.Generator) -> Shot:
        """A shot to train on: a whole clip, or a part of one that shows what can be compared."""
        if self._falling and rng.random() < 0.5:
            return self._free_fall(rng, *self._falling)
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


def _falling(store: Store) -> tuple[Windows, Windows] | None:
    """Kept frames of both falls; and those before the first, between both and after the second that show no bounces.

    None where there are none of some kind: cubes do not fall, and a recording may have too few frames.
    """
    if store.task != "drop":
        return None
    spec = store.records[0].spec
    first, second = (phase(spec, "release", number)[0] for number in (0, 1))
    calm = ((0.0, first), (first + CALM_AFTER, second), (second + CALM_AFTER, float("inf")))
    falls = ((first, first + FALL), (second, second + FALL))
    frames = [
        tuple(frame for frame, time in enumerate(store.times) if begin <= time < end) for begin, end in (*falls, *calm)
    ]
    return (tuple(frames[:2]), tuple(frames[2:])) if all(frames) else None


def _even(frames: Sequence[int]) -> tuple[int, ...]:
    """An even number of frames, the last one shown twice if need be, as the model's family does it."""
    return (*frames, frames[-1]) if len(frames) % 2 else tuple(frames)
