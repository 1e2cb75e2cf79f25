"""The cluster bootstrap: whole clusters are drawn again, with all of their rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray
from scipy.special import ndtr, stdtrit

from hpvqa.evaluate.statistics.clusters import Tally

RESAMPLES = 2000


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


def bootstrap_mean(rows: Tally, *, level: float, seed: int, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Interval of the mean of all rows.

    Args:
        rows: The rows, of at least 2 clusters.
        level: Confidence.
        seed: Seed of the draws.
        resamples: How often to draw.
    """
    # Clusters with equal sum and size are of one kind, of which there are few however many clusters there are.
    kinds, counts = np.unique(np.stack([rows.sums, rows.sizes], axis=1), axis=0, return_counts=True)
    sums, sizes = (draw(counts, resamples, seed) @ kinds).T
    means = sums / sizes
    low, high = np.quantile(means, tails(level, rows.clusters))
    return float(low), float(high)
