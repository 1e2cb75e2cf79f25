"""Intervals of a share among independent trials.

From :mod:`scipy.special` alone: importing ``scipy.stats`` takes longer than evaluating a small data set. Counts need
not be whole numbers, so that a share can be that of an effective number of trials.
"""

from __future__ import annotations

from scipy.special import betaincinv, ndtri


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


def wilson(count: float, n: float, level: float) -> tuple[float, float]:
    """The score interval (Wilson 1927), without continuity correction.

    Args:
        count: How many trials succeeded, from 0 to n.
        n: Number of trials, more than 0.
        level: Confidence.
    """
    z = float(ndtri((1 + level) / 2))
    share = count / n
    middle = (share + z * z / (2 * n)) / (1 + z * z / n)
    half = z / (1 + z * z / n) * (share * (1 - share) / n + z * z / (4 * n * n)) ** 0.5
    return (max(middle - half, 0.0) if count > 0 else 0.0, min(middle + half, 1.0) if count < n else 1.0)
