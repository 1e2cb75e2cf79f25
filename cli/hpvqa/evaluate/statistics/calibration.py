"""Whether probabilities are what they say."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike, NDArray

BINS = 10
"""How many bins of equal mass probabilities are put in."""


def equal_mass_bins(values: ArrayLike, bins: int = BINS) -> list[NDArray[np.intp]]:
    """Put values in bins of about equally many, by size; equal values are never parted, so there may be fewer bins.

    Opposite values fall into opposite bins: what lies on a border goes towards the middle, and where the border is the
    middle itself, there is one bin fewer.

    Args:
        values: One a row.
        bins: How many bins there are at most.

    Returns:
        For each bin that is not empty, in order, the numbers of its rows.
    """
    _, which, counts = np.unique(np.asarray(values, float), return_inverse=True, return_counts=True)
    # A value belongs where the middle of its rows lies, here in halves of a row.
    middles, whole = 2 * np.cumsum(counts) - counts, 2 * int(counts.sum())
    if bins % 2 == 0 and (2 * middles == whole).any():
        bins -= 1
    bin_of, rest = np.divmod(middles * bins, max(whole, 1))
    bin_of -= (rest == 0) & (2 * middles > whole)
    return [np.flatnonzero(bin_of[which] == number) for number in np.unique(bin_of)]


def brier_score(p: ArrayLike, happened: ArrayLike) -> float:
    """Mean squared distance between the probability of an event and whether it happened (Brier 1950).

    Args:
        p: Probability for each row.
        happened: Whether it happened.
    """
    return mean(np.square(np.asarray(p, float) - np.asarray(happened, float)))


def calibration_error(p: ArrayLike, happened: ArrayLike) -> float:
    """Expected calibration error: mean distance between probability and share over the bins, weighted by their rows.

    Few rows make it larger than it is in truth, since shares of few rows scatter.

    Args:
        p: Probability for each row.
        happened: Whether it happened.
    """
    said, true = np.asarray(p, float), np.asarray(happened, float)
    bins = equal_mass_bins(said)
    # Of each bin, how many more rows are said to happen than happen: |mean - share| times its rows.
    return math.fsum(abs(math.fsum([*said[rows], *-true[rows]])) for rows in bins) / len(said)


def mean(values: ArrayLike) -> float:
    """Mean of at least one value, to the last digit the same in whatever order they are."""
    found = np.asarray(values, float)
    return math.fsum(found) / len(found)
