"""Rows counted by cluster: what every statistic here is made of."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray


@dataclass(frozen=True)
class Tally:
    """Values of rows, added up by cluster. Clusters are in an order that does not depend on the order of the rows.

    Attributes:
        sums: Sum of the values of each cluster.
        sizes: How many rows each cluster has.
    """

    sums: NDArray[np.float64]
    sizes: NDArray[np.float64]

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(self.sizes)

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.sizes.sum())

    @property
    def mean(self) -> float:
        """Mean of all rows."""
        return float(self.sums.sum() / self.sizes.sum())

    @property
    def kish(self) -> float:
        """How many clusters of equal size weigh as much as these (Kish 1965): (Σ size)² / Σ size²."""
        return float(self.sizes.sum() ** 2 / np.square(self.sizes).sum())


def number_clusters(clusters: Sequence[Hashable]) -> NDArray[np.intp]:
    """For each row the number of its cluster, from 0."""
    numbers: dict[Hashable, int] = {}
    return np.fromiter((numbers.setdefault(cluster, len(numbers)) for cluster in clusters), np.intp, len(clusters))


def tally(values: ArrayLike, clusters: Sequence[Hashable]) -> Tally:
    """Add up the values of rows by cluster.

    Args:
        values: One a row.
        clusters: The cluster of each row.
    """
    numbers = number_clusters(clusters)
    sums = np.bincount(numbers, weights=np.asarray(values, float))
    sizes = np.bincount(numbers).astype(float)
    order = np.lexsort((sums, sizes))
    return Tally(sums[order], sizes[order])
