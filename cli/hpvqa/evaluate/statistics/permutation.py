"""Whether two runs that answered the same rows differ: a test that needs no distribution."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def sign_flip_p(changes: ArrayLike) -> float:
    """Two-sided p of the paired permutation test over clusters.

    If two runs are equally good, a cluster's change could as well have had the other sign, with all of its rows. The
    p-value is the share of all 2^k choices of signs that make the sum at least as far from 0 as it is. Changes are
    whole numbers, so that the distribution of their sum is found exactly for any k, one cluster after the other.

    Args:
        changes: For each cluster, rows gained minus rows lost.
    """
    signed = np.rint(np.asarray(changes, float)).astype(int)
    steps = np.abs(signed[signed != 0])
    reach = int(steps.sum())
    chance = np.zeros(2 * reach + 1)
    chance[reach] = 1.0
    for step in steps:
        # Nothing leaves the array: it is as wide as all steps together.
        chance = (np.roll(chance, step) + np.roll(chance, -step)) / 2
    sums = np.arange(-reach, reach + 1)
    return min(float(chance[np.abs(sums) >= abs(signed.sum())].sum()), 1.0)
