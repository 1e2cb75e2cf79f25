"""A number with its interval, over groups of scenes."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike
from pydantic import Field

from hpvqa.evaluate.statistics.combine import mean_interval
from hpvqa.evaluate.statistics.interval import Method, accuracy_interval
from hpvqa.evaluate.statistics.resample import measured
from hpvqa.evaluate.statistics.resample import ratio as weighed_ratio
from hpvqa.plain import Model


class Figure(Model):
    """A number, and how sure it is."""

    value: float
    low: float | None = Field(default=None, description="Where its interval of 95 % begins; null: there is none.")
    high: float | None = Field(default=None, description="Where it ends.")
    n: int = Field(description="Of how many scenes or decisions.")
    method: Method | Literal["none"]


def share(true: Sequence[bool], clusters: Sequence[Hashable]) -> Figure | None:
    """How often something holds.

    Args:
        true: Whether it does, one a row.
        clusters: The group of each row.

    Returns:
        The share; None of no rows.
    """
    found = accuracy_interval(true, clusters)
    if found is None:
        return None
    value = sum(true) / len(true)
    return Figure(value=value, low=found.low, high=found.high, n=len(true), method=found.method)


def balanced(
    first: tuple[Sequence[bool], Sequence[Hashable]], second: tuple[Sequence[bool], Sequence[Hashable]]
) -> Figure | None:
    """Mean of two shares, however many rows each has; None if one has none.

    The halves count as independent, though scenes of one group may be in both.
    """
    a, b = (accuracy_interval(*half) for half in (first, second))
    if a is None or b is None:
        return None
    left, right = (sum(true) / len(true) for true, _ in (first, second))
    both = mean_interval(left, a, right, b)
    n = len(first[0]) + len(second[0])
    return Figure(value=(left + right) / 2, low=both.low, high=both.high, n=n, method=both.method)


def ratio(over: ArrayLike, under: ArrayLike, clusters: Sequence[Hashable], seed: int = 0) -> Figure | None:
    """One sum over another, with an interval from resampled groups.

    Args:
        over: One a row.
        under: One a row, of which none is negative; ones make it a mean.
        clusters: The group of each row.
        seed: Of the resampling.

    Returns:
        The ratio; None where the lower sum is 0.
    """
    rows = np.stack([np.asarray(over, float), np.asarray(under, float)], axis=1)
    value, interval = measured(weighed_ratio, rows, clusters, seed=seed)
    if value is None:
        return None
    if interval is None:
        return Figure(value=value, n=len(rows), method="none")
    return Figure(value=value, low=interval.low, high=interval.high, n=len(rows), method=interval.method)
