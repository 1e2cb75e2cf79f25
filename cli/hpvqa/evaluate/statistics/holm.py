"""Several tests at once."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


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
