"""Bins of the gap between both hidden values: how hard an episode is."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from itertools import pairwise

import numpy as np

MOST_BINS = 4
_FEWEST_EPISODES = 4
"""In a bin; fewer would tell nothing."""

_LONG = 1e6
"""Edges from here on are written with an exponent."""


@dataclass(frozen=True)
class GapBin:
    """Gaps from one to another.

    Attributes:
        low: The smallest one.
        high: Where the next bin begins; the last bin holds it too.
        last: Whether this is the last bin.
        label: Both ends in words, such as 0.20–0.41.
    """

    low: float
    high: float
    last: bool
    label: str

    def holds(self, gap: float) -> bool:
        """Whether a gap is in the bin."""
        return self.low <= gap and (gap < self.high or self.last)


def gap_bins(gaps: Collection[float]) -> list[GapBin]:
    """Bins that hold about equally many episodes each, at most four.

    Args:
        gaps: The gap of each episode; none: there are no bins.
    """
    if not gaps:
        return []
    bins = min(max(len(gaps) // _FEWEST_EPISODES, 1), MOST_BINS)
    found = np.unique(np.quantile(np.array(sorted(gaps)), np.linspace(0, 1, bins + 1)))
    edges = [float(edge) for edge in found] if len(found) > 1 else [float(found[0])] * 2
    names = _names(edges)
    return [
        GapBin(low, high, number == len(edges) - 2, f"{names[number]}–{names[number + 1]}")
        for number, (low, high) in enumerate(pairwise(edges))
    ]


def _names(edges: list[float]) -> list[str]:
    """Edges in as few digits as tell them apart, at least two."""
    for digits in range(2, 6):
        names = [f"{edge:.{digits}f}" if edge < _LONG else f"{edge:.{digits}e}" for edge in edges]
        if len(set(names)) == len(set(edges)):
            break
    return names
