"""Rows counted by cluster: what every statistic here is made of."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray

FEWEST_EPISODES = 8
"""Fewer episodes do not show how accuracy depends on anything, nor whether probabilities are calibrated."""


@dataclass(frozen=True)
class Tally:
    """Values of rows, added up by cluster, all as whole numbers.

    Clusters are in an order that does not depend on the order of the rows.

    Attributes:
        sums: Sum of the values of each cluster.
        sizes: How many rows each cluster has.
        squares: Sum of the squared values of all rows.
    """

    sums: NDArray[np.int64]
    sizes: NDArray[np.int64]
    squares: int

    @property
    def clusters(self) -> int:
        """Number of clusters."""
        return len(self.sizes)

    @property
    def n(self) -> int:
        """Number of rows."""
        return int(self.sizes.sum())

    @property
    def total(self) -> int:
        """Sum of all values."""
        return int(self.sums.sum())

    @property
    def mean(self) -> float:
        """Mean of all rows."""
        return self.total / self.n

    @property
    def variance(self) -> float:
        """Variance of all rows, about their mean."""
        return (self.n * self.squares - self.total**2) / self.n**2

    @property
    def robust_variance(self) -> float:
        """Cluster-robust variance of the mean: Σ (sum - mean · size)² / n², over the clusters."""
        n, total = self.n, self.total
        crossed = n**2 * int(self.sums @ self.sums) - 2 * n * total * int(self.sums @ self.sizes)
        return (crossed + total**2 * int(self.sizes @ self.sizes)) / n**4

    @property
    def kish(self) -> float:
        """How many clusters of equal size weigh as much as these (Kish 1965): (Σ size)² / Σ size²."""
        return self.n**2 / int(self.sizes @ self.sizes)


def number_clusters(clusters: Sequence[Hashable]) -> NDArray[np.intp]:
    """For each row the number of its cluster, from 0."""
    numbers: dict[Hashable, int] = {}
    return np.fromiter((numbers.setdefault(cluster, len(numbers)) for cluster in clusters), np.intp, len(clusters))


def tally(values: ArrayLike, clusters: Sequence[Hashable]) -> Tally:
    """Add up the values of rows by cluster.

    Args:
        values: One a row, whole numbers or truth values.
        clusters: The cluster of each row.
    """
    whole = np.asarray(values).astype(np.int64)
    numbers = number_clusters(clusters)
    sizes = np.bincount(numbers)
    sums = np.zeros_like(sizes)
    np.add.at(sums, numbers, whole)
    order = np.lexsort((sums, sizes))
    return Tally(sums[order], sizes[order], int(whole @ whole))
