"""The cluster bootstrap: whole clusters are drawn again, with all of their rows."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from scipy.special import ndtr, stdtrit

from hpvqa.evaluate.statistics.clusters import Tally

RESAMPLES = 4000


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


def draw(clusters: int, resamples: int, seed: int) -> NDArray[np.intp]:
    """Which clusters each resample holds.

    Returns:
        Numbers of clusters, (resamples, clusters).
    """
    return np.random.default_rng(seed).integers(0, clusters, (resamples, clusters), dtype=np.intp)


def bootstrap_mean(rows: Tally, *, level: float, seed: int, resamples: int = RESAMPLES) -> tuple[float, float]:
    """Interval of the mean of all rows.

    Args:
        rows: The rows, of at least 2 clusters.
        level: Confidence.
        seed: Seed of the draws.
        resamples: How often to draw.
    """
    drawn = draw(rows.clusters, resamples, seed)
    means = rows.sums[drawn].sum(axis=1) / rows.sizes[drawn].sum(axis=1)
    low, high = np.quantile(means, tails(level, rows.clusters))
    return float(low), float(high)
