"""The Weibull curve that accuracy is fitted with, and how well one fits."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import NDArray
from scipy.special import xlogy

GUESS = 0.5
TARGET = 0.75
"""Accuracy at the threshold: half way from guessing to certainty."""

_LAPSES = (0.0, 0.1)
_SHAPES = (0.5, 8.0)
_SCALES = (1 / 40, 2.0)
"""In units of the largest gap."""
_TINY = 1e-9


@dataclass(frozen=True)
class Shape:
    """A curve; see :func:`accuracy`."""

    scale: float
    shape: float
    lapse: float

    def slope(self, gap: float) -> float:
        """Accuracy gained per unit of gap, at a gap above 0."""
        reached = (gap / self.scale) ** self.shape
        return float((1 - GUESS - self.lapse) * np.exp(-reached) * reached * self.shape / gap)

    def deviance(self, gaps: NDArray[np.float64], correct: NDArray[np.float64], wrong: NDArray[np.float64]) -> float:
        """Twice the log-likelihood that is missing to the best possible one."""
        sizes = correct + wrong
        most = (xlogy(correct, correct / sizes) + xlogy(wrong, wrong / sizes)).sum()
        parameters = np.array([self.scale, self.shape, self.lapse])
        return max(float(2 * (most - _goodness(parameters, gaps, correct, wrong))), 0.0)


def accuracy(gaps: NDArray[np.float64], parameters: NDArray[np.float64]) -> NDArray[np.float64]:
    """Accuracy at each gap.

    Args:
        gaps: (gaps,).
        parameters: Scale, shape and lapse, (..., 3).

    Returns:
        (..., gaps).
    """
    scale, shape, lapse = (parameters[..., number, None] for number in range(3))
    risen: NDArray[np.float64] = -np.expm1(-((gaps / scale) ** shape))
    return GUESS + (1 - GUESS - lapse) * risen


def threshold(
    scale: float | NDArray[np.float64], shape: float | NDArray[np.float64], lapse: float | NDArray[np.float64]
) -> float | NDArray[np.float64]:
    """Gap at which a curve reaches :data:`TARGET`."""
    missing = 1 - (TARGET - GUESS) / (1 - GUESS - lapse)
    return scale * (-np.log(missing)) ** (1 / shape)


class GoodnessGrid:
    """Curves on a grid with their log-likelihoods: whole batches of resamples are fitted by a matrix product.

    Args:
        gaps: The gap of each episode, the last one the largest, above 0.
    """

    def __init__(self, gaps: NDArray[np.float64]) -> None:
        scales = gaps[-1] * np.geomspace(*_SCALES, 80)
        self._parameters = np.array(list(product(scales, np.geomspace(*_SHAPES, 12), np.linspace(*_LAPSES, 3))))
        p = np.clip(accuracy(gaps, self._parameters), _TINY, 1 - _TINY)
        self._correct, self._wrong = np.log(p), np.log1p(-p)
        self._thresholds = np.asarray(threshold(*self._parameters.T))

    def best(self, correct: NDArray[np.float64], wrong: NDArray[np.float64]) -> Shape:
        """The likeliest curve, given how many rows of each episode are correct and wrong."""
        return Shape(*map(float, self._parameters[self._likeliest(correct[None], wrong[None])[0]]))

    def thresholds(self, correct: NDArray[np.float64], wrong: NDArray[np.float64]) -> NDArray[np.float64]:
        """Threshold of the likeliest curve of each resample.

        Args:
            correct: Correct rows, (resamples, episodes).
            wrong: Wrong rows, (resamples, episodes).
        """
        return self._thresholds[self._likeliest(correct, wrong)]

    def _likeliest(self, correct: NDArray[np.float64], wrong: NDArray[np.float64]) -> NDArray[np.intp]:
        goodness: NDArray[np.float64] = correct @ self._correct.T + wrong @ self._wrong.T
        likeliest: NDArray[np.intp] = goodness.argmax(axis=1)
        return likeliest


def refine(start: Shape, gaps: NDArray[np.float64], correct: NDArray[np.float64], wrong: NDArray[np.float64]) -> Shape:
    """The likeliest curve near one of the grid.

    Args:
        start: The curve of the grid.
        gaps: The gap of each episode, the last one the largest.
        correct: How many of its rows are correct.
        wrong: How many are wrong.
    """
    from scipy.optimize import minimize

    def lack(x: NDArray[np.float64]) -> float:
        return -_goodness(np.array([np.exp(x[0]), np.exp(x[1]), x[2]]), gaps, correct, wrong)

    bounds = [tuple(np.log(gaps[-1] * np.array(_SCALES))), tuple(np.log(_SHAPES)), _LAPSES]
    begin = np.array([np.log(start.scale), np.log(start.shape), start.lapse])
    found = minimize(lack, begin, method="Nelder-Mead", bounds=bounds)
    x = found.x if found.fun <= lack(begin) else begin
    return Shape(float(np.exp(x[0])), float(np.exp(x[1])), float(x[2]))


def _goodness(
    parameters: NDArray[np.float64],
    gaps: NDArray[np.float64],
    correct: NDArray[np.float64],
    wrong: NDArray[np.float64],
) -> float:
    p = np.clip(accuracy(gaps, parameters), _TINY, 1 - _TINY)
    return float((correct * np.log(p) + wrong * np.log1p(-p)).sum())
