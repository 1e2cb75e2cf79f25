"""Medians and ratios of rows that come in clusters, with intervals by the cluster bootstrap.

Each statistic takes weights, a matrix with a line a resample: how often each row was drawn. So all resamples are worked
out at once.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence

import numpy as np
from numpy.typing import NDArray

from hpvqa.evaluate.statistics.interval import (
    LEVEL,
    Interval,
    clopper_pearson,
    draw,
    number_clusters,
    tails,
    tally,
    worth,
)

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
    rows, numbers = in_order(rows, clusters)
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


def measured_median(
    rows: Array, clusters: Sequence[Hashable], *, seed: int, level: float = LEVEL
) -> tuple[float | None, Interval | None]:
    """The median, with its interval.

    Medians of resamples vary too little where clusters are few; so the interval is never narrower than Woodruff's
    (1952): it reaches to the rows below which, with the trials that the rows are worth, may lie a half of all.

    Args:
        rows: The rows, shape (n,), infinities allowed.
        clusters: The cluster of each row.
        seed: Seed of the bootstrap.
        level: Confidence.

    Returns:
        As :func:`measured` does.
    """
    value, found = measured(median, rows, clusters, seed=seed, level=level)
    if value is None or found is None:
        return value, None
    n = worth(tally(rows <= value, clusters), level)
    low, high = clopper_pearson(n / 2, n, level)
    ordered = np.sort(rows)
    first, last = ordered[math.floor(low * len(rows))], ordered[math.ceil(high * len(rows)) - 1]
    if not np.isfinite(last):
        return value, None
    return value, found.model_copy(update={"low": min(found.low, float(first)), "high": max(found.high, float(last))})


def in_order(rows: Array, clusters: Sequence[Hashable]) -> tuple[Array, NDArray[np.intp]]:
    """Rows in an order that depends only on what they and their clusters hold, and the number of the cluster of each.

    Sums of floats depend on the order in their last digit.

    Args:
        rows: The rows, shape (n, ...); there is at least one.
        clusters: The cluster of each row.
    """
    numbers, flat = number_clusters(clusters), rows.reshape(len(rows), -1)
    held = {number: sorted(map(tuple, flat[numbers == number].tolist())) for number in range(int(numbers.max()) + 1)}
    places = {number: place for place, number in enumerate(sorted(held, key=lambda number: held[number]))}
    renamed = np.array([places[int(number)] for number in numbers], dtype=np.intp)
    order = np.lexsort((*flat.T, renamed))
    return rows[order], renamed[order]
