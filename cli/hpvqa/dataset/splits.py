"""Which episodes are for training and which for evaluation.

An episode is in one split with all its views. Each split of each task holds left and right answers as evenly as its
episodes allow, and within both the thing that goes first is as even as can be, so that neither tells the answer.
Episodes are picked by a random number of their own, keyed by (task, index): the same whatever else was collected, and
in whatever order. Episodes of a shift are all for evaluation.
"""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import numpy as np

from hpvqa.errors import UsageError
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side
from hpvqa.tasks import TASKS

if TYPE_CHECKING:
    from hpvqa.recipe import Recipe

Split = Literal["train", "eval"]
Selection = Literal["train", "eval", "all"]
SPLITS: tuple[Split, Split] = ("train", "eval")

_SPLIT_KEY = (2**32 - 1, 1)
"""Stands between the task and the index in the key of an episode's draw; no key of an episode or a block looks so."""


@dataclass(frozen=True)
class Stratum:
    """What a split crosses: the answer, and the side that goes first."""

    answer: Side
    first: Side


_STRATA = tuple(Stratum(answer, first) for answer in SIDES for first in SIDES)


def default_eval_count(episodes: int) -> int:
    """A quarter of the episodes, as the nearest even number; at least two where there are as many."""
    return max(2, 2 * ((episodes + 4) // 8)) if episodes >= 2 else 0


def split_specs(specs: Iterable[EpisodeSpec], recipe: Recipe, seed: int) -> dict[tuple[str, int], Split]:
    """Assign every episode, known by task and index, to a split.

    Args:
        specs: The episodes; no simulation is needed to know them.
        recipe: How many are for evaluation.
        seed: Seed of the assignment.

    Raises:
        UsageError: The recipe wants more episodes for evaluation than there are.
    """
    strata: dict[str, dict[int, Stratum]] = {}
    for spec in specs:
        # The first of the things stands for left: so it is called, where there are two.
        stratum = Stratum(TASKS[spec.task].answer(spec), SIDES[spec.order[0] != spec.names[0]])
        strata.setdefault(spec.task, {})[spec.index] = stratum
    assigned: dict[tuple[str, int], Split] = {}
    for name, members in strata.items():
        wanted = recipe.task(name)
        count = (
            default_eval_count(len(members)) if wanted is None or wanted.eval_episodes is None else wanted.eval_episodes
        )
        if count > len(members):
            raise UsageError(
                f"The recipe wants {count} episodes of {name} for evaluation, but there are only {len(members)}; "
                "collect more, or build with another --recipe"
            )
        chosen = choose_eval(members, count, seed, TASKS[name].task_id)
        assigned |= {(name, index): "eval" if index in chosen else "train" for index in members}
    return assigned


def only_eval(specs: Iterable[EpisodeSpec]) -> dict[tuple[str, int], Split]:
    """The same for episodes that no model may be trained on: all are for evaluation."""
    return {(spec.task, spec.index): "eval" for spec in specs}


def choose_eval(members: Mapping[int, Stratum], count: int, seed: int, task_id: int) -> frozenset[int]:
    """Indexes of the ``count`` episodes that are for evaluation."""
    ranked: dict[Stratum, list[int]] = {stratum: [] for stratum in _STRATA}
    for index in sorted(members, key=lambda index: (_draw(seed, task_id, index), index)):
        ranked[members[index]].append(index)
    quotas = _quotas({stratum: len(indexes) for stratum, indexes in ranked.items()}, count)
    return frozenset(index for stratum, quota in quotas.items() for index in ranked[stratum][:quota])


def _draw(seed: int, task_id: int, index: int) -> float:
    sequence = np.random.SeedSequence(seed, spawn_key=(task_id, *_SPLIT_KEY, index))
    return float(np.random.default_rng(sequence).random())


def _halves(count: int, first: int, second: int) -> set[int]:
    """The most even ways to take ``count`` out of two heaps: how many come from the first."""
    low, high = max(0, count - second), min(first, count)
    return {min(max(half, low), high) for half in (count // 2, count - count // 2)}


def _quotas(sizes: Mapping[Stratum, int], count: int) -> dict[Stratum, int]:
    """How many episodes of each stratum are for evaluation.

    Evenness of the answers comes first, in the evaluation split before the training split; then that of the order.
    """
    ll, lr, rl, rr = (sizes[stratum] for stratum in _STRATA)
    options = [
        (left_l, left - left_l, right_l, count - left - right_l)
        for left in _halves(count, ll + lr, rl + rr)
        for left_l, right_l in itertools.product(_halves(left, ll, lr), _halves(count - left, rl, rr))
    ]

    def score(option: tuple[int, int, int, int]) -> tuple[int, ...]:
        # All options are equally even in the evaluation split's answers.
        a, b, c, d = option
        e, f, g, h = ll - a, lr - b, rl - c, rr - d
        return abs(e + f - g - h), abs(a - b) + abs(c - d), abs(a + c - b - d), abs(e - f) + abs(g - h)

    best = min(options, key=lambda option: (score(option), option))
    return dict(zip(_STRATA, best, strict=True))


def uneven(answers: Iterable[Side]) -> str | None:
    """How far a split's answers are from even, in words; None if they are as even as their number allows."""
    counts = Counter(answers)
    if abs(counts["left"] - counts["right"]) <= (counts["left"] + counts["right"]) % 2:
        return None
    return f"{counts['left']} left and {counts['right']} right"
