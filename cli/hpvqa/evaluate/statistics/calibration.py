"""Whether probabilities are what they say."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10
"""How many bins of equal mass probabilities are put in."""


def equal_mass_bins(values: ArrayLike, bins: int = BINS) -> list[NDArray[np.intp]]:
    """Put values in bins of about equally many, by size; equal values are never parted, so there may be fewer bins.

    Args:
        values: One a row.
        bins: How many bins there are at most.

    Returns:
        For each bin that is not empty, in order, the numbers of its rows.
    """
    found, which, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    # A value belongs where the middle of its rows lies.
    middles = (np.cumsum(counts) - counts / 2) / max(counts.sum(), 1)
    bin_of = np.minimum((middles * bins).astype(np.intp), bins - 1)[which] if len(found) else which
    return [np.flatnonzero(bin_of == number) for number in np.unique(bin_of)]


def brier_score(p: ArrayLike, happened: ArrayLike) -> float:
    """Mean squared distance between the probability of an event and whether it happened (Brier 1950).

    Args:
        p: Probability for each row.
        happened: Whether it happened.
    """
    return float(np.mean(np.square(np.asarray(p, float) - np.asarray(happened, float))))


def calibration_error(p: ArrayLike, happened: ArrayLike) -> float:
    """Expected calibration error: mean distance between probability and share over the bins, weighted by their rows.

    Few rows make it larger than it is in truth, since shares of few rows scatter.

    Args:
        p: Probability for each row.
        happened: Whether it happened.
    """
    said, true = np.asarray(p, float), np.asarray(happened, float)
    gaps = [len(rows) * abs(said[rows].mean() - true[rows].mean()) for rows in equal_mass_bins(said)]
    return float(sum(gaps) / len(said))
