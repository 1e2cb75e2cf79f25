"""Intervals of a sum or difference of two shares, recovered from the interval of each (MOVER, Zou and Donner 2008).

Each end lies away from the estimate by the distances of both shares to their own ends, added as variances are. So a
share that is 0 or 1 keeps the doubt that its own interval has.
"""

from __future__ import annotations

import math
from collections.abc import Hashable, Iterable, Sequence

import numpy as np
from numpy.typing import ArrayLike

from hpvqa.evaluate.statistics.interval import (
    LEVEL,
    Interval,
    Method,
    bootstrap_mean,
    choose_method,
    clopper_pearson,
    share_ends,
    tally,
)

_FEWEST_TRIALS, _MOST_TRIALS, _HALVINGS = 0.1, 1e7, 40
"""Between which numbers of trials the one is looked for that makes an interval as wide, to ten digits."""


def mean_interval(a: float, a_interval: Interval, b: float, b_interval: Interval) -> Interval:
    """Interval of the mean of two independent shares.

    Args:
        a: The first share.
        a_interval: Its interval.
        b: The second share.
        b_interval: Its interval, of the same level.
    """
    return means_interval([(a, a_interval), (b, b_interval)])


def means_interval(shares: Sequence[tuple[float, Interval]]) -> Interval:
    """Interval of the mean of some independent shares, each of which counts alike.

    Where all shares are near 0, or all near 1, distances that are added as variances are end too early: of two shares
    of 29 in 30 at 0.9897. So it is never narrower than Clopper and Pearson's of as many trials as have the variance of
    the mean.

    Args:
        shares: Each share with its interval, all of the same level; at least one.
    """
    count = len(shares)
    mean = math.fsum(share for share, _ in shares) / count
    parts = [(share / count, of.low / count, of.high / count) for share, of in shares]
    found = sum_interval(mean, parts, [of for _, of in shares])
    low, high = max(found.low, 0.0), min(found.high, 1.0)
    variance = math.fsum(share * (1 - share) / _worth(share, of) for share, of in shares) / count**2
    if variance > 0:
        n = mean * (1 - mean) / variance
        ends = clopper_pearson(mean * n, n, found.level)
        low, high = min(low, ends[0]), max(high, ends[1])
    return found.model_copy(update={"low": low, "high": high})


def _worth(share: float, of: Interval) -> float:
    """How many trials give a share an interval by Clopper and Pearson that is as wide as a given one."""
    low, high = _FEWEST_TRIALS, _MOST_TRIALS
    for _ in range(_HALVINGS):
        middle = math.sqrt(low * high)
        ends = clopper_pearson(share * middle, middle, of.level)
        low, high = (middle, high) if ends[1] - ends[0] > of.high - of.low else (low, middle)
    return low


def independent_interval(a: float, a_interval: Interval, b: float, b_interval: Interval) -> Interval:
    """Interval of b - a, two independent shares.

    Args:
        a: The first share.
        a_interval: Its interval.
        b: The second share.
        b_interval: Its interval, of the same level.
    """
    terms = [(b, b_interval.low, b_interval.high), (-a, -a_interval.high, -a_interval.low)]
    found = sum_interval(b - a, terms, (a_interval, b_interval))
    return found.model_copy(update={"low": max(found.low, -1.0), "high": min(found.high, 1.0)})


def sum_interval(value: float, terms: Sequence[tuple[float, float, float]], intervals: Sequence[Interval]) -> Interval:
    """Interval of a sum of independent terms.

    Args:
        value: The estimate.
        terms: Each term with both ends of its interval.
        intervals: The intervals that the terms come from. Where their methods differ, the result bears the name of
            the default one.
    """
    methods = {interval.method for interval in intervals}
    return Interval(
        low=value - _length(term - low for term, low, _ in terms),
        high=value + _length(high - term for term, _, high in terms),
        level=intervals[0].level,
        method=methods.pop() if len(methods) == 1 else "cluster bootstrap",
    )


def difference_interval(
    changes: ArrayLike, clusters: Sequence[Hashable], *, seed: int = 0, level: float = LEVEL
) -> Interval:
    """Interval of the mean change of paired rows.

    With the opposite changes it is exactly the opposite interval. It is combined from those of the share of gains and
    of the share of losses, each by :func:`share_ends`: so two runs that agree in all of 16 episodes may still differ,
    and where no episode was lost as a whole, some may yet be. Where rows of an episode disagree, it is also no narrower
    than the cluster bootstrap of the changes.

    Args:
        changes: For each row 1 (gain), -1 (loss) or 0.
        clusters: The cluster of each row; there is at least one.
        seed: Seed of the bootstrap.
        level: Confidence.
    """
    least = undrawn_difference(changes, clusters, level)
    if least.method == "Clopper-Pearson":
        return least
    low, high = bootstrap_mean(tally(changes, clusters), both=0, level=level, seed=seed)
    return least.model_copy(update={"low": min(low, least.low), "high": max(high, least.high)})


def undrawn_difference(changes: ArrayLike, clusters: Sequence[Hashable], level: float) -> Interval:
    """What :func:`difference_interval` is at least, with the same arguments; without resampling.

    Its method is the one by which that interval is found.
    """
    change = np.asarray(changes)
    gained, lost = (tally(values, clusters) for values in (change > 0, change < 0))
    low, high = _difference(gained.mean, share_ends(gained, level), lost.mean, share_ends(lost, level))
    drawn = "cluster bootstrap" in (choose_method(gained), choose_method(lost))
    method: Method = "cluster bootstrap" if drawn else "Clopper-Pearson"
    return Interval(low=max(low, -1.0), high=min(high, 1.0), level=level, method=method)


def _difference(a: float, a_ends: tuple[float, float], b: float, b_ends: tuple[float, float]) -> tuple[float, float]:
    """Ends of the interval of a - b, two shares of the same trials, which a trial cannot both belong to."""
    others = (1 - a) * (1 - b)
    correlation = -((a * b / others) ** 0.5) if others > 0 else -float(a * b > 0)
    return (
        a - b - _distance(a - a_ends[0], b_ends[1] - b, correlation),
        a - b + _distance(a_ends[1] - a, b - b_ends[0], correlation),
    )


def _distance(a: float, b: float, correlation: float) -> float:
    return float(max(a * a + b * b - 2 * correlation * (a * b), 0.0) ** 0.5)


def _length(parts: Iterable[float]) -> float:
    """Length of a vector, to the last digit the same in whatever order its parts are named."""
    return math.sqrt(math.fsum(part * part for part in parts))
