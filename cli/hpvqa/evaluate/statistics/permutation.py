"""Whether two runs that answered the same rows are exchangeable, and many tests at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike


def sign_flip_p(changes: ArrayLike) -> float:
    """Two-sided p of the plain sign-flip test over clusters, a permutation test of paired samples.

    The hypothesis is not equal accuracy (:func:`hpvqa.evaluate.statistics.equality.equality_p` tests that) but that the
    runs are exchangeable: either could have given either's answers, so that a cluster's change could as well have had
    the other sign, with all of its rows. The p-value is the share of all 2^k choices of signs that make the sum at
    least as far from 0 as it is; changes are whole numbers, so that nothing need be drawn. Two runs of equal accuracy
    that err in different ways, one by episodes and the other by rows, are not exchangeable, and the test then rejects
    more often than its level says.

    Args:
        changes: For each cluster, rows gained minus rows lost.
    """
    signed = np.rint(np.asarray(changes, float)).astype(int)
    # In the order of their size, so that rounding does not depend on which run is named first.
    steps = np.sort(np.abs(signed[signed != 0]))
    reach = int(steps.sum())
    chance = np.zeros(2 * reach + 1)
    chance[reach] = 1.0
    for step in steps:
        # Nothing leaves the array: it is as wide as all steps together.
        chance = (np.roll(chance, step) + np.roll(chance, -step)) / 2
    sums = np.arange(-reach, reach + 1)
    return min(float(chance[np.abs(sums) >= abs(signed.sum())].sum()), 1.0)


def holm(p: Sequence[float]) -> list[float]:
    """Holm's adjusted p-values (1979): compared with a level, they keep the chance of any false alarm below it.

    Args:
        p: The p-values of one family of tests.

    Returns:
        The adjusted ones, in the same order.
    """
    order = np.argsort(p, kind="stable")
    factors = np.arange(len(p), 0, -1)
    adjusted = np.empty(len(p))
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * np.asarray(p, float)[order]), 1.0)
    return [float(value) for value in adjusted]
