"""Medians, ratios and rank correlations of rows that come in clusters, with intervals by the cluster bootstrap.

Each statistic takes weights, a matrix with a line a resample: how often each row was drawn. So all resamples are worked
out at once.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from hpvqa.evaluate.statistics.interval import LEVEL, Interval, draw, number_clusters, tails

RESAMPLES = 2_000
"""Fewer than for shares, whose clusters fall into few kinds; an end of an interval is good to two digits."""

Array = NDArray[np.float64]
Statistic = Callable[[Array, Array], Array]
"""From rows, shape (n, ...), and weights, shape (resamples, n), to a value a resample; NaN where there is none."""


def median(rows: Array, weights: Array) -> Array:
    """The smallest value that at least half of all rows do not exceed; rows of shape (n,), infinities allowed."""
    order = np.argsort(rows, kind="stable")
    below = np.cumsum(weights[:, order], axis=1)
    return np.asarray(rows[order][np.argmax(2 * below >= below[:, -1:], axis=1)])


def ratio(rows: Array, weights: Array) -> Array:
    """The sum of the first column over that of the second, rows of shape (n, 2); NaN where the latter is 0."""
    over, under = (weights @ rows).T
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.where(under > 0, over / under, np.nan)


def rank_correlation(rows: Array, weights: Array) -> Array:
    """Spearman's coefficient of both columns of rows, shape (n, 2), ties having their mean rank.

    NaN where all values of a column are the same.
    """
    a, b = (_ranks(rows[:, column], weights) for column in (0, 1))
    total = weights.sum(axis=1, keepdims=True)
    a, b = (ranks - (weights * ranks).sum(axis=1, keepdims=True) / total for ranks in (a, b))
    spread = np.sqrt((weights * a * a).sum(axis=1) * (weights * b * b).sum(axis=1))
    with np.errstate(invalid="ignore", divide="ignore"):
        found = (weights * a * b).sum(axis=1) / spread
    return np.where(spread > 1e-9, np.clip(found, -1.0, 1.0), np.nan)


def _ranks(values: Array, weights: Array) -> Array:
    """The mean rank of each row, shape (resamples, n), where every row counts as often as it was drawn."""
    _, groups = np.unique(values, return_inverse=True)
    of_group = np.zeros((len(weights), int(groups.max()) + 1))
    np.add.at(of_group.T, groups, weights.T)
    ranks = np.cumsum(of_group, axis=1) - of_group / 2
    return np.asarray(ranks[:, groups])


def measured(
    statistic: Statistic, rows: Array, clusters: Sequence[Hashable], *, seed: int, level: float = LEVEL
) -> tuple[float | None, Interval | None]:
    """A statistic of some rows, with its interval. Neither depends on the order of the rows.

    Args:
        statistic: Which one.
        rows: The rows, shape (n, ...).
        clusters: The cluster of each row.
        seed: Seed of the bootstrap.
        level: Confidence.

    Returns:
        The value, None where there is none or it is infinite; and its interval, None of fewer than two clusters, where
        it would have no end, or where more than a hundredth of the resamples have no value.
    """
    if not len(rows):
        return None, None
    numbers = _in_order(rows, number_clusters(clusters))
    # Sums of floats depend on the order in their last digit.
    order = np.lexsort((*rows.reshape(len(rows), -1).T, numbers))
    rows, numbers = rows[order], numbers[order]
    value = float(statistic(rows, np.ones((1, len(rows))))[0])
    if not np.isfinite(value):
        return None, None
    count = int(numbers.max()) + 1
    if count < 2:
        return value, None
    found = statistic(rows, draw(np.ones(count), RESAMPLES, seed)[:, numbers].astype(np.float64))
    known = np.sort(found[~np.isnan(found)])
    if len(known) < 0.99 * RESAMPLES:
        return value, None
    # Infinite errors cannot be averaged, as other ways to find a quantile do.
    low, high = (float(end) for end in np.quantile(known, tails(level, count), method="nearest"))
    if not np.isfinite([low, high]).all():
        return value, None
    return value, Interval(low=min(low, value), high=max(high, value), level=level, method="cluster bootstrap")


def _in_order(rows: Array, numbers: NDArray[np.intp]) -> NDArray[np.intp]:
    """The clusters numbered anew, by what they hold."""
    flat = rows.reshape(len(rows), -1)
    held = {number: sorted(map(tuple, flat[numbers == number].tolist())) for number in range(int(numbers.max()) + 1)}
    order = {number: place for place, number in enumerate(sorted(held, key=lambda number: held[number]))}
    return np.array([order[int(number)] for number in numbers], dtype=np.intp)
