"""The exact posterior over what is hidden and over the answer, by enumeration."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from math import prod
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.questions import NOTHING, Program
from hpvqa.explore.scene import Item, Place

Worlds = NDArray[np.int64]


def all_worlds(places: Sequence[Place], known: dict[int, int]) -> tuple[Worlds, NDArray[np.float64]]:
    """Everything that may be at each place, and how likely that is before a question is asked.

    Args:
        places: The places.
        known: What is seen already: numbers of contents by numbers of places.

    Returns:
        Numbers of contents, shape (n, places), and their chances, shape (n,), which sum up to 1.
    """
    choices = [
        (known[number],) if number in known else range(len(place.contents)) for number, place in enumerate(places)
    ]
    grids = np.meshgrid(*(np.array(numbers, np.int64) for numbers in choices), indexing="ij")
    worlds = np.stack([grid.ravel() for grid in grids], axis=1)
    chances = np.ones(len(worlds))
    for number, place in enumerate(places):
        if number not in known:
            chances *= np.array(place.chances)[worlds[:, number]]
    return worlds, chances


def answer_first(codes: NDArray[np.int64], chances: NDArray[np.float64]) -> NDArray[np.float64]:
    """The chances of worlds if the answer is drawn first, each alike, and the world given the answer.

    Args:
        codes: The answer in each world, shape (n,).
        chances: How likely each world was before the question, shape (n,).
    """
    answers, which = np.unique(codes, return_inverse=True)
    return np.asarray(chances / np.bincount(which, chances)[which] / len(answers))


def entropy(chances: NDArray[Any]) -> float:
    """Entropy of chances [bit]; zeros are allowed."""
    some = chances[chances > 0]
    return float(-(some * np.log2(some)).sum())


class Belief:
    """What an ideal observer believes: all worlds that agree with what was seen, and how likely each is.

    Args:
        worlds: Numbers of contents, shape (n, places).
        codes: The answer in each, as a number, shape (n,).
        chances: Shape (n,); they sum up to 1.
        program: What the numbers of answers mean.
    """

    def __init__(
        self, worlds: Worlds, codes: NDArray[np.int64], chances: NDArray[np.float64], program: Program
    ) -> None:
        self.worlds = worlds
        self.codes = codes
        self.chances = chances
        self._program = program
        self._values, self._which = np.unique(codes, return_inverse=True)
        self._gains: dict[frozenset[int], float] = {}

    @classmethod
    def first(cls, program: Program, items: Sequence[Item], places: Sequence[Place], known: dict[int, int]) -> Belief:
        """What is believed once the question is asked.

        Each answer that is still possible is as likely as another: so scenes are drawn.

        Args:
            program: The question.
            items: What is there whatever is hidden.
            places: Where something may be hidden.
            known: What the first view shows: numbers of contents by numbers of places.
        """
        worlds, chances = all_worlds(places, known)
        codes = program.codes([(item.look, item.left) for item in items], places, worlds)
        real = codes != NOTHING
        worlds, codes, chances = worlds[real], codes[real], chances[real]
        return cls(worlds, codes, answer_first(codes, chances), program)

    def see(self, contents: Sequence[int], places: Collection[int]) -> Belief:
        """What is believed once it is seen what is at some places.

        Args:
            contents: What really is at each place.
            places: Numbers of the places that are seen.

        Raises:
            ValueError: That was thought impossible.
        """
        fits = np.ones(len(self.worlds), bool)
        for place in places:
            fits &= self.worlds[:, place] == contents[place]
        if not fits.any():
            raise ValueError("what is seen was thought impossible")
        chances = self.chances[fits]
        return Belief(self.worlds[fits], self.codes[fits], chances / chances.sum(), self._program)

    def answers(self) -> dict[str, float]:
        """How likely each answer is that is still possible."""
        likely = np.bincount(self._which, self.chances)
        return {self._program.word(int(code)): float(chance) for code, chance in zip(self._values, likely, strict=True)}

    @property
    def entropy(self) -> float:
        """Of the answer [bit]; 0 where it is certain."""
        return entropy(np.bincount(self._which, self.chances))

    @property
    def sufficient(self) -> bool:
        """Whether one answer alone is possible."""
        return len(self._values) == 1

    def certainty(self, places: Collection[int]) -> float:
        """How likely it is that the answer is certain once it is seen what is at some places."""
        shown = self._shown(frozenset(places))
        most, least = (np.full(shown.max() + 1, number) for number in (-1, len(self._values)))
        np.maximum.at(most, shown, self._which)
        np.minimum.at(least, shown, self._which)
        return float(self.chances[(most == least)[shown]].sum())

    def gain(self, places: Collection[int]) -> float:
        """Expected information about the answer in seeing what is at some places [bit]."""
        key = frozenset(places)
        if self.sufficient or not key:
            return 0.0
        if key not in self._gains:
            self._gains[key] = self._gain(key)
        return self._gains[key]

    def _gain(self, places: frozenset[int]) -> float:
        shown = self._shown(places)
        joint = np.bincount(shown * len(self._values) + self._which, self.chances)
        left = entropy(joint) - entropy(np.bincount(shown, self.chances))
        return max(self.entropy - left, 0.0)

    def _shown(self, places: frozenset[int]) -> NDArray[np.int64]:
        """What would be seen at some places in each world, as one number, shape (n,)."""
        columns = self.worlds[:, sorted(places)]
        sizes = columns.max(axis=0) + 1
        shown = columns @ np.array([prod(sizes[:number].tolist()) for number in range(len(sizes))], np.int64)
        return np.unique(shown, return_inverse=True)[1]
