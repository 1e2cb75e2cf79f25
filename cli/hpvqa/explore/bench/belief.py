"""The exact posterior over hidden properties, from blurred readings: a grid for each thing that is asked about."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from itertools import product
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.belief.posterior import Belief, answer_first, entropy
from hpvqa.explore.bench.calibration import expected
from hpvqa.explore.bench.methods import Kind, Method
from hpvqa.explore.bench.spec import UNREAD, Sharpness
from hpvqa.explore.questions import NOTHING, Program

Array = NDArray[np.float64]

SURE = 0.99
"""An answer that is as likely as this counts as certain: readings are blurred, so that none is ever wholly so."""


@cache
def outcomes(method: Method, kind: Kind, sharpness: Sharpness) -> Array:
    """How likely each reading is.

    Args:
        method: What is done.
        kind: With what kind of thing.
        sharpness: How well it is read.

    Returns:
        Shape (readings + 1, combinations of hidden values): of the least one and 0, 1, 2, ... steps more, and at last
        of nothing that could be made out; the largest reading is further than four standard deviations from all that
        is expected.
    """
    means = expected(method, kind)
    count = math.ceil((means.max() - method.least + 4 * sharpness.spread) / method.step) + 1
    edges = method.least + (np.arange(1, count)[:, None] - 0.5) * method.step
    below = np.array([[NormalDist(mean, sharpness.spread).cdf(edge) for mean in means] for edge in edges[:, 0]])
    ends = np.zeros((1, len(means)))
    chances = np.diff(np.concatenate([ends, below, ends + 1]), axis=0) * (1 - sharpness.lost)
    return np.concatenate([chances, ends + sharpness.lost])


@dataclass(frozen=True)
class Fact:
    """A reading that can be taken.

    Attributes:
        thing: Number of the thing among those that are asked about.
        chances: How likely each reading is for each value of the property that is asked about and each combination of
            the other ones, shape (readings, values, others); the last reading stands for none.
    """

    thing: int
    chances: Array

    def read(self, reading: int) -> Array:
        """How likely a reading is, shape (values, others)."""
        last = len(self.chances) - 1
        return np.asarray(self.chances[last if reading == UNREAD else min(reading, last - 1)])


class BenchBelief(Belief):
    """What an ideal observer believes: of each thing how likely every combination of its hidden values is.

    Args:
        grids: Of each thing that is asked about, in proportion to how likely its values are for themselves, shape
            (values of the property that is asked about, combinations of the others).
        facts: What can be read of them, by number; all other readings tell nothing.
        program: The question.
    """

    def __init__(self, grids: Sequence[Array], facts: Mapping[int, Fact], program: Program) -> None:
        compared = program.compared
        assert compared is not None  # noqa: S101 - a property is asked about
        self._grids, self._facts = tuple(grids), facts
        values = np.array(list(product(*(range(len(grid)) for grid in grids))))
        codes = compared.codes(values)
        values, codes = values[codes != NOTHING], codes[codes != NOTHING]
        # Each answer is drawn alike, then the values given the answer; those were alike before.
        prior = answer_first(codes, np.ones(len(codes)))
        each = [grid.sum(axis=1) for grid in grids]
        chances = prior * np.prod([one[values[:, number]] for number, one in enumerate(each)], axis=0)
        super().__init__(values, codes, chances / chances.sum(), program)

    @classmethod
    def before(cls, shape: tuple[int, int], things: int, facts: Mapping[int, Fact], program: Program) -> BenchBelief:
        """What is believed before anything is read.

        Args:
            shape: How many values the property has that is asked about, and how many combinations the others.
            things: How many things are asked about.
            facts: What can be read.
            program: The question.
        """
        return cls([np.full(shape, 1 / (shape[0] * shape[1]))] * things, facts, program)

    def see(self, contents: Sequence[int], places: Collection[int]) -> BenchBelief:
        """What is believed once some readings are taken.

        Args:
            contents: All readings that can be taken.
            places: Numbers of those that are.
        """
        grids = list(self._grids)
        for number in sorted(places):
            fact = self._facts.get(number)
            if fact is not None:
                grid = grids[fact.thing] * fact.read(contents[number])
                grids[fact.thing] = grid / grid.sum()
        return BenchBelief(grids, self._facts, self._program)

    @property
    def sufficient(self) -> bool:
        """Whether one answer is as good as certain."""
        return bool(np.bincount(self._which, self.chances).max() >= SURE)

    def gain(self, places: Collection[int]) -> float:
        """Expected information about the answer in some readings, two at most [bit]; those that tell nothing are free.

        Raises:
            ValueError: More than two of them may tell something.
        """
        key = frozenset(self._facts.keys() & places)
        if not key:
            return 0.0
        if key not in self._gains:
            self._gains[key] = self._gain(key)
        return self._gains[key]

    def _gain(self, places: frozenset[int]) -> float:
        facts = [self._facts[number] for number in sorted(places)]
        if len(facts) > 2:
            raise ValueError("no more than two readings are looked at together")
        if len(facts) == 2 and facts[0].thing != facts[1].thing:
            first, second = (self._told(fact.thing, fact.chances) for fact in facts)
            shares = self._shares[facts[0].thing, facts[1].thing]
            partly = (first @ shares.reshape(len(shares), -1)).reshape(len(first), *shares.shape[1:])
            joint = second @ partly
        else:
            chances = facts[0].chances
            if len(facts) == 2:
                chances = (chances[:, None] * facts[1].chances).reshape(-1, *chances.shape[1:])
            thing = facts[0].thing
            joint = self._told(thing, chances) @ self._shares[thing, thing]
        joint = joint.reshape(-1, len(self._values))
        left = entropy(joint) - entropy(joint.sum(axis=1))
        return max(self.entropy - left, 0.0)

    def _told(self, thing: int, chances: Array) -> Array:
        """How likely each reading is for each value of the property that is asked about, shape (readings, values)."""
        grid = self._grids[thing]
        share = grid / np.maximum(grid.sum(axis=1, keepdims=True), 1e-300)
        return np.asarray((chances * share).sum(axis=2))

    @cached_property
    def _shares(self) -> dict[tuple[int, int], Array]:
        """How likely each answer is together with the values of one thing, or of two, by their numbers."""
        found = {}
        count = len(self._values)
        for one, other in product(range(len(self._grids)), repeat=2):
            sizes = [len(self._grids[number]) for number in ((one,) if one == other else (one, other))]
            which = self.worlds[:, one] if one == other else self.worlds[:, one] * sizes[1] + self.worlds[:, other]
            shares = np.bincount(which * count + self._which, self.chances, int(np.prod(sizes)) * count)
            found[one, other] = np.asarray(shares, np.float64).reshape(*sizes, count)
        return found
