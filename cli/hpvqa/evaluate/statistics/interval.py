"""How sure an accuracy is when rows come in clusters, and how many independent rows would make it as sure.

From :mod:`scipy.special` alone: importing ``scipy.stats`` takes longer than evaluating a small data set. Counts need
not be whole numbers, so that a share can be that of an effective number of trials.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field
from scipy.special import betaincinv, ndtr, stdtrit

from hpvqa.plain import Model

LEVEL = 0.95
RESAMPLES = 10_000
FEWEST_EPISODES = 8
"""Fewer episodes do not show how accuracy depends on anything, nor whether probabilities are calibrated."""

Method = Literal["cluster bootstrap", "cluster jackknife", "Clopper-Pearson"]


class Interval(Model):
    """A confidence interval."""

    low: float
    high: float
    level: float = Field(default=LEVEL, description="Confidence.")
    method: Method


@dataclass(frozen=True)
class Tally:
    """Values of rows, added up by cluster, all as whole numbers.

    Clusters are in an order that does not depend on the order of the rows.

    Attributes:
        sums: Sum of the values of each cluster.
        sizes: How many rows each cluster has.
        squares: Sum of the squared values of all rows.
    """

    sums: NDArray[np.int64]
    sizes: NDArray[np.int64]
    squares: int

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(self.sizes)

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.sizes.sum())

    @property
    def total(self) -> int:
        """Sum of all values."""
        return int(self.sums.sum())

    @property
    def mean(self) -> float:
        """Mean of all rows."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Variance of all rows, about their mean."""
        return (self.n * self.squares - self.total**2) / self.n**2

    @property
    def robust_variance(self) -> float:
        """Cluster-robust variance of the mean: Σ (sum - mean · size)² / n², over the clusters."""
        n, total = self.n, self.total
        crossed = n**2 * int(self.sums @ self.sums) - 2 * n * total * int(self.sums @ self.sizes)
        return (crossed + total**2 * int(self.sizes @ self.sizes)) / n**4

    @property
    def kish(self) -> float:
        """How many clusters of equal size weigh as much as these (Kish 1965): (Σ size)² / Σ size²."""
        return self.n**2 / int(self.sizes @ self.sizes)


def number_clusters(clusters: Sequence[Hashable]) -> NDArray[np.intp]:
    """For each row the number of its cluster, from 0."""
    numbers: dict[Hashable, int] = {}
    return np.fromiter((numbers.setdefault(cluster, len(numbers)) for cluster in clusters), np.intp, len(clusters))


def tally(values: ArrayLike, clusters: Sequence[Hashable]) -> Tally:
    """Add up the values of rows by cluster.

    Args:
        values: One a row, whole numbers or truth values.
        clusters: The cluster of each row.
    """
    whole = np.asarray(values).astype(np.int64)
    numbers = number_clusters(clusters)
    sizes = np.bincount(numbers)
    sums = np.zeros_like(sizes)
    np.add.at(sums, numbers, whole)
    order = np.lexsort((sums, sizes))
    return Tally(sums[order], sizes[order], int(whole @ whole))


def accuracy_interval(
    correct: ArrayLike,
    clusters: Sequence[Hashable],
    *,
    seed: int = 0,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Interval of the share of correct rows.

    - Rows of a cluster agree, whichever cluster, as where there is one row a cluster: each cluster counts once, and the
      interval is Clopper and Pearson's. Without this, 16 correct clusters of 16 would leave no doubt, since every
      resample of them is correct too. (If clusters are correct and wrong and differ in size, their number is Kish's
      effective one, since large ones weigh more.)
    - Otherwise: the cluster bootstrap, at percentiles that suit the number of clusters. Where few clusters differ from
      the rest, resamples vary too little; so it is never narrower than Korn and Graubard's interval. A single cluster
      whose rows do not agree counts as one trial.

    Args:
        correct: Whether each row is correct.
        clusters: The cluster of each row.
        seed: Seed of the bootstrap.
        level: Confidence.
        resamples: How often the bootstrap draws.

    Returns:
        The interval; it holds the share itself. None without any row.
    """
    if not len(clusters):
        return None
    rows = tally(correct, clusters)
    method = choose_method(rows)
    low, high = share_ends(rows, level)
    if method == "cluster bootstrap":
        drawn = bootstrap_mean(rows, both=1, level=level, seed=seed, resamples=resamples)
        low, high = min(drawn[0], low), max(drawn[1], high)
    return Interval(low=low, high=high, level=level, method=method)


def effective_n(correct: ArrayLike, clusters: Sequence[Hashable]) -> float:
    """How many independent rows would make the share of correct rows as sure as these rows do.

    With share p of n rows, and e the sum of (correct - p) over the rows of a cluster, the cluster-robust variance of p
    is Σ e² / n²; that of N independent rows is p (1 - p) / N; so N = n² p (1 - p) / Σ e². This is n divided by the
    design effect. It is the number of rows if there is one a cluster, and the number of clusters if these are of one
    size and agree within. Beyond the number of rows it is cut off there. Where p is 0 or 1, no variance can be seen: it
    is the number of clusters. A single cluster counts as one row; none as 0.

    Args:
        correct: Whether each row is correct.
        clusters: The cluster of each row.
    """
    if not len(clusters):
        return 0.0
    return effective_rows(tally(correct, clusters))


def effective_rows(rows: Tally) -> float:
    """How many independent rows would make the mean as sure; see :func:`effective_n`.

    Args:
        rows: The rows; there is at least one.
    """
    if rows.clusters == 1 or rows.variance <= 0:
        return float(rows.clusters)
    robust = rows.robust_variance
    return min(rows.variance / robust, float(rows.n)) if robust > 0 else float(rows.n)


def sure_rows(rows: Tally, level: float) -> float:
    """Effective rows for an interval: fewer, since a few clusters tell little of how much clusters scatter.

    As Korn and Graubard (1998) have it, times the squared ratio of Student's quantiles with one degree of freedom less
    than there are rows, and than there are clusters. Of 8 clusters this leaves three quarters, of 2 next to nothing.

    Args:
        rows: The rows, of at least 2 clusters.
        level: Confidence.
    """
    of_rows, of_clusters = (stdtrit(count - 1, (1 + level) / 2) for count in (rows.n, rows.clusters))
    return float(effective_rows(rows) * (of_rows / of_clusters) ** 2)


def choose_method(rows: Tally) -> Method:
    """How the interval of a share is found.

    Args:
        rows: The rows; each is 0 or 1.
    """
    agree = bool(((rows.sums == 0) | (rows.sums == rows.sizes)).all())
    return "Clopper-Pearson" if agree or rows.clusters == 1 else "cluster bootstrap"


def share_ends(rows: Tally, level: float) -> tuple[float, float]:
    """Interval of a share without resampling: Clopper and Pearson's of as many trials as the rows are worth.

    Args:
        rows: The rows; each is 0 or 1.
        level: Confidence.
    """
    n = worth(rows, level)
    return clopper_pearson(rows.mean * n, n, level)


def worth(rows: Tally, level: float) -> float:
    """As how many trials rows count for an interval.

    Where the rows of each cluster agree, these are the clusters; otherwise as Korn and Graubard (1998) have it.

    Args:
        rows: The rows; each is 0 or 1.
        level: Confidence.
    """
    return trials(rows) if choose_method(rows) == "Clopper-Pearson" else sure_rows(rows, level)


def trials(rows: Tally) -> float:
    """How many trials clusters make if each of them counts as one; if all rows are alike, sizes do not matter.

    Args:
        rows: The rows.
    """
    return rows.kish if rows.variance > 0 else float(rows.clusters)


def clopper_pearson(count: float, n: float, level: float) -> tuple[float, float]:
    """Clopper and Pearson's interval (1934); with an effective number of trials, as in Korn and Graubard 1998.

    Args:
        count: How many trials succeeded, from 0 to n.
        n: Number of trials, more than 0.
        level: Confidence.
    """
    tail = (1 - level) / 2
    low = betaincinv(count, n - count + 1, tail) if count > 0 else 0.0
    high = betaincinv(count + 1, n - count, 1 - tail) if count < n else 1.0
    return float(low), float(high)


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
    means = _resampled(tuple(sorted(kinds.items())), seed, resamples)
    low, high = np.quantile(means, tails(level, rows.clusters))
    return float(low), float(high)


# One report asks for the same interval several times: of a cell, of what is compared with it, at several levels.
@lru_cache(maxsize=512)
def _resampled(kinds: tuple[tuple[tuple[int, int], int], ...], seed: int, resamples: int) -> NDArray[np.float64]:
    """The mean of each resample, ascending."""
    counts = [count for _, count in kinds]
    sums, sizes = (draw(counts, resamples, seed) @ np.array([kind for kind, _ in kinds])).T
    return np.sort(sums / sizes)
