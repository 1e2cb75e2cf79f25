"""Whether two runs that answered the same rows are equally accurate, however each of them errs."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from math import exp, log

from numpy.typing import ArrayLike

from hpvqa.evaluate.statistics.combine import difference_interval, undrawn_difference
from hpvqa.evaluate.statistics.interval import tally
from hpvqa.evaluate.statistics.permutation import sign_flip_p

_HALVINGS = 24
_LEAST = 1e-12
"""Confidence beyond 1 - this is not told from certainty."""


def equality_p(changes: ArrayLike, clusters: Sequence[Hashable], *, seed: int = 0) -> float:
    """Two-sided p of the hypothesis that the mean change is 0.

    A permutation of signs alone also takes it for a difference if one run fails by whole clusters and the other by
    single rows: where no failed cluster happens to be among those that were drawn, all changes have one sign. Its
    statistic may be divided by the standard error without any effect, for the sum of squares has the same value under
    all signs. So the interval, which knows of what was not seen, must leave out 0 too: p is the smallest level at which
    it does, :func:`difference_interval` being that of 1 - p, but not below the p of the permutation.

    Args:
        changes: For each row 1 (gain), -1 (loss) or 0.
        clusters: The cluster of each row; there is at least one.
        seed: Seed of the bootstrap.
    """

    def holds_zero(p: float) -> bool:
        found = difference_interval(changes, clusters, seed=seed, level=1 - p)
        return found.low <= 0 <= found.high

    flipped = sign_flip_p(tally(changes, clusters).sums)
    least = max(flipped, _LEAST)
    if least >= 1 or not holds_zero(least):
        return flipped
    low, high = log(least), 0.0
    for _ in range(_HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if holds_zero(exp(middle)) else (low, middle)
    return exp(high)


def differs(changes: ArrayLike, clusters: Sequence[Hashable], *, alpha: float, seed: int = 0) -> bool:
    """Whether :func:`equality_p` of the same rows is below a level, which takes far less time than p itself.

    Args:
        changes: For each row 1 (gain), -1 (loss) or 0.
        clusters: The cluster of each row; there is at least one.
        alpha: The level.
        seed: Seed of the bootstrap.
    """
    if sign_flip_p(tally(changes, clusters).sums) >= alpha:
        return False
    least = undrawn_difference(changes, clusters, 1 - alpha)
    if least.low <= 0 <= least.high:
        return False
    found = difference_interval(changes, clusters, seed=seed, level=1 - alpha)
    return not found.low <= 0 <= found.high
