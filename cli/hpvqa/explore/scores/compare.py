"""Two runs of the same scenes: whether they differ, by tests that pair scenes, group by group of twins."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from itertools import combinations

from pydantic import Field

from hpvqa.evaluate.statistics.combine import difference_interval
from hpvqa.evaluate.statistics.equality import equality_p
from hpvqa.evaluate.statistics.permutation import holm
from hpvqa.explore.runs.record import Played
from hpvqa.explore.scores.judgement import judged
from hpvqa.explore.scores.measure import justified
from hpvqa.plain import Model

TRAITS: Mapping[str, Callable[[Played], bool]] = {
    "correct": lambda one: one.correct,
    "justified": justified,
    "first judgement": lambda one: judged(one.decisions[0]),
}
"""What two runs are compared by."""


class Comparison(Model):
    """How much more often something holds in the first of two runs."""

    a: str
    b: str
    trait: str
    scenes: int = Field(description="Scenes that both played.")
    difference: float
    low: float
    high: float
    p: float = Field(description="Two-sided, of equal shares, by groups of twins.")
    adjusted: float = Field(description="The same, by Holm, over all comparisons.")


def compare(runs: Mapping[str, Sequence[Played]]) -> tuple[Comparison, ...]:
    """Every pair of runs, by each trait.

    Args:
        runs: The scenes of each run, by its name.
    """
    found: list[Comparison] = []
    for (a, first), (b, second) in combinations(runs.items(), 2):
        others = {one.ending.key: one for one in second}
        pairs = [(one, others[one.ending.key]) for one in first if one.ending.key in others]
        pairs = [(one, other) for one, other in pairs if one.ending.scene == other.ending.scene]
        if pairs:
            found += [_compared(a, b, trait, pairs) for trait in TRAITS]
    adjusted = holm([one.p for one in found])
    return tuple(one.model_copy(update={"adjusted": p}) for one, p in zip(found, adjusted, strict=True))


def _compared(a: str, b: str, trait: str, pairs: Sequence[tuple[Played, Played]]) -> Comparison:
    holds = TRAITS[trait]
    changes = [int(holds(one)) - int(holds(other)) for one, other in pairs]
    clusters: list[Hashable] = [one.cluster for one, _ in pairs]
    interval = difference_interval(changes, clusters)
    p = equality_p(changes, clusters)
    return Comparison(
        a=a,
        b=b,
        trait=trait,
        scenes=len(pairs),
        difference=sum(changes) / len(changes),
        low=interval.low,
        high=interval.high,
        p=p,
        adjusted=p,
    )
