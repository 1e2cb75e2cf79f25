"""What is believed of a quantity after an experiment: a probability for each value of a grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True)
class Distribution:
    """A probability for each value.

    Attributes:
        values: The grid, in ascending order, shape (n,).
        probability: Adds up to 1, shape (n,).
    """

    values: NDArray[np.float64]
    probability: NDArray[np.float64]

    @classmethod
    def from_log(cls, values: NDArray[np.float64], log_weight: NDArray[np.float64]) -> Distribution:
        """Normalise logarithms of weights."""
        weight = np.exp(log_weight - log_weight.max())
        return cls(values, weight / weight.sum())

    @classmethod
    def none(cls, values: NDArray[np.float64]) -> Distribution:
        """Nothing is known: all values are equally likely."""
        return cls.from_log(values, np.zeros(len(values)))

    @classmethod
    def sure(cls, values: NDArray[np.float64], value: float) -> Distribution:
        """All is known: it is the value of the grid that is nearest to this one."""
        probability = np.zeros(len(values))
        probability[np.abs(values - value).argmin()] = 1.0
        return cls(values, probability)

    @property
    def best(self) -> float:
        """The most probable value."""
        return float(self.values[self.probability.argmax()])

    def quantile(self, share: float) -> float:
        """The value that the quantity is below with this probability, between those of the grid."""
        # Each value stands for the stretch from half-way to its neighbours.
        below = np.cumsum(self.probability) - self.probability / 2
        return float(np.interp(share, below, self.values))

    def exceeds(self, other: Distribution) -> float:
        """Probability that this quantity is larger than another one on the same grid; a draw counts half."""
        below = np.cumsum(other.probability) - other.probability / 2
        return min(float(self.probability @ below), 1.0)

    def cause(self, values: NDArray[np.float64], expected: NDArray[np.float64], sharpness: float) -> Distribution:
        """What is believed of a property that this quantity follows from.

        Args:
            values: The property's grid, shape (m,).
            expected: What this quantity should be for each of them, shape (m,).
            sharpness: How far it may be off, as a standard deviation.
        """
        off = (self.values - expected[:, None]) / sharpness
        seen = np.log(np.maximum(self.probability, 1e-300))
        return Distribution.from_log(values, np.logaddexp.reduce(seen - off**2 / 2, axis=1))
