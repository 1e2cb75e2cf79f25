"""The cluster bootstrap: whole clusters are drawn again, with all of their rows."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from hpvqa.evaluate.statistics.clusters import Tally

RESAMPLES = 10_000


def tails(level: float, clusters: int) -> tuple[float, float]:
    """The quantiles at which an interval ends.

    Percentiles of few clusters make too short an interval: the variance is taken with n in place of n - 1, and the
    normal distribution in place of Student's. Both are made good by going further out (Hesterberg 2015, "What teachers
    should know about the bootstrap", the expanded percentile interval).

    Args:
        level: Confidence.
        clusters: Number of clusters, at least 2.
    """
    t = stdtrit(clusters - 1, (1 - level) / 2)
    tail = float(ndtr(t * (clusters / (clusters - 1)) ** 0.5))
    return tail, 1 - tail


def draw(kinds: ArrayLike, resamples: int, seed: int) -> NDArray[np.int64]:
    """Draw as many clusters as there are, with replacement.

    Args:
        kinds: How many clusters there are of each kind.
        resamples: How often to draw all of them.
        seed: Seed of the draws.

    Returns:
        How many of each kind were drawn, (resamples, kinds).
    """
    counts = np.asarray(kinds)
    total = int(counts.sum())
    return np.random.default_rng(seed).multinomial(total, counts / total, resamples)


def bootstrap_mean(
    rows: Tally, *, both: int, level: float, seed: int, resamples: int = RESAMPLES
) -> tuple[float, float]:
    """Interval of the mean of all rows.

    Which of two opposites is counted, gains or losses, left or right, must not matter: the interval is the mean of that
    of the values and that of their opposites, turned round.

    Args:
        rows: The rows, of at least 2 clusters.
        both: What a value and its opposite add up to: 0 for changes, 1 for shares.
        level: Confidence.
        seed: Seed of the draws.
        resamples: How often to draw, for the values and for their opposites.
    """
    low, high = _ends(rows.sums, rows, level, seed, resamples)
    opposite_low, opposite_high = _ends(both * rows.sizes - rows.sums, rows, level, seed, resamples)
    return (low + (both - opposite_high)) / 2, (high + (both - opposite_low)) / 2


def _ends(of_clusters: NDArray[np.int64], rows: Tally, level: float, seed: int, resamples: int) -> tuple[float, float]:
    # Clusters with equal sum and size are of one kind, of which there are few however many clusters there are.
    kinds = Counter(zip(of_clusters.tolist(), rows.sizes.tolist(), strict=True))
    return _quantiles(tuple(sorted(kinds.items())), level, seed, resamples)


# One report asks for the same interval several times: of a cell, of what is compared with it, of its opposite.
@lru_cache(maxsize=4096)
def _quantiles(
    kinds: tuple[tuple[tuple[int, int], int], ...], level: float, seed: int, resamples: int
) -> tuple[float, float]:
    counts = [count for _, count in kinds]
    sums, sizes = (draw(counts, resamples, seed) @ np.array([kind for kind, _ in kinds])).T
    low, high = np.quantile(sums / sizes, tails(level, sum(counts)))
    return float(low), float(high)
