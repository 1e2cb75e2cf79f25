"""Laws of chance that several tasks share."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hpvqa.scene.randomization import Range
from hpvqa.tasks.base import Ranges


class TwoRanges(Ranges):
    """One value from a low range, the other one from a high range. A subclass names the fields."""

    names: ClassVar[tuple[str, str]]
    """Fields of the low and of the high range."""

    def _both(self) -> tuple[Range, Range]:
        low, high = (getattr(self, name) for name in self.names)
        return low, high

    def draw_hidden(self, rng: np.random.Generator) -> tuple[float, float]:
        """One value from each range."""
        low, high = self._both()
        return float(rng.uniform(*low)), float(rng.uniform(*high))

    def possible(self, low: NDArray[np.float64], high: NDArray[np.float64]) -> NDArray[np.bool_]:
        """Each value in its own range."""
        lower, upper = self._both()
        return (low >= lower[0]) & (low <= lower[1]) & (high >= upper[0]) & (high <= upper[1])


class MassRanges(TwoRanges):
    """Masses of two cubes."""

    names: ClassVar[tuple[str, str]] = ("light_mass", "heavy_mass")

    light_mass: Range = Field(default=(0.5, 1.0), description="Mass of the lighter cube [kg].")
    heavy_mass: Range = Field(default=(3.0, 5.0), description="Mass of the heavier cube [kg].")
