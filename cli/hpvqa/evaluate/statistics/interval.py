"""How sure an accuracy is, and how many independent rows would make it as sure."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

from numpy.typing import ArrayLike
from pydantic import Field
from scipy.special import stdtrit

from hpvqa.evaluate.statistics.binomial import clopper_pearson, wilson
from hpvqa.evaluate.statistics.bootstrap import RESAMPLES, bootstrap_mean
from hpvqa.evaluate.statistics.clusters import Tally, tally
from hpvqa.plain import Model

LEVEL = 0.95

Method = Literal["cluster bootstrap", "Clopper-Pearson", "Wilson"]


class Interval(Model):
    """A confidence interval."""

    low: float
    high: float
    level: float = Field(default=LEVEL, description="Confidence.")
    method: Method


def accuracy_interval(
    correct: ArrayLike,
    clusters: Sequence[Hashable],
    *,
    seed: int = 0,
    level: float = LEVEL,
    resamples: int = RESAMPLES,
) -> Interval | None:
    """Interval of the share of correct rows.

    - One row a cluster: rows are independent, Wilson's interval.
    - Rows of a cluster agree, whichever cluster: each counts once, and the interval is Clopper and Pearson's. Without
      this, 16 correct clusters of 16 would leave no doubt, since every resample of them is correct too. (If clusters
      are correct and wrong and differ in size, their number is Kish's effective one, since large ones weigh more.)
    - Otherwise: the cluster bootstrap, at percentiles that suit the number of clusters. Where few clusters differ from
      the rest, resamples vary too little; so it is never narrower than Wilson's interval of the effective number of
      rows (see :func:`sure_rows`). A single cluster whose rows do not agree counts as one trial.

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
    if method == "Wilson":
        low, high = wilson(rows.total, rows.n, level)
    elif method == "Clopper-Pearson":
        n = trials(rows)
        low, high = clopper_pearson(rows.mean * n, n, level)
    else:
        drawn = bootstrap_mean(rows, both=1, level=level, seed=seed, resamples=resamples)
        n = sure_rows(rows, level)
        least = wilson(rows.mean * n, n, level)
        low, high = min(drawn[0], least[0]), max(drawn[1], least[1])
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
    if rows.clusters == rows.n:
        return "Wilson"
    agree = bool(((rows.sums == 0) | (rows.sums == rows.sizes)).all())
    return "Clopper-Pearson" if agree or rows.clusters == 1 else "cluster bootstrap"


def trials(rows: Tally) -> float:
    """How many trials clusters make if each of them counts as one; if all rows are alike, sizes do not matter.

    Args:
        rows: The rows.
    """
    return rows.kish if rows.variance > 0 else float(rows.clusters)
