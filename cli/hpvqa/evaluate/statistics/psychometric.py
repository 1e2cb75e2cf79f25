"""Accuracy as a function of how far apart the hidden values are: a Weibull curve, fitted by maximum likelihood."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass
from itertools import product

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, computed_field
from scipy.special import xlogy

from hpvqa.evaluate.statistics.interval import LEVEL, Interval, draw, number_clusters, tails
from hpvqa.plain import Model

GUESS = 0.5
TARGET = 0.75
"""Accuracy at the threshold: half way from guessing to certainty."""

_LAPSES = (0.0, 0.1)
_SHAPES = (0.5, 8.0)
_SCALES = (1 / 40, 2.0)
"""In units of the largest gap."""
_TINY = 1e-9
_RESAMPLES = 500
_PERMUTATIONS = 4000
_SIGNIFICANT = 0.05
_FEWEST_GAPS = 4
"""A curve of three parameters says nothing about fewer."""


class Psychometric(Model):
    """A Weibull curve from guessing to all but lapses: guess + (1 - guess - lapse) (1 - exp(-(gap / scale)^shape))."""

    guess: float = Field(default=GUESS, description="Accuracy without any gap: one of two words.")
    lapse: float = Field(description="Share of errors however large the gap; fitted in [0, 0.1].")
    scale: float = Field(description="Gap at which 1 - 1/e of the rise is done.")
    shape: float = Field(description="Steepness: 1 rises at once, more waits and then rises faster.")
    threshold: float | None = Field(description="Gap where accuracy is 0.75; null where `note` says why.")
    threshold_interval: Interval | None = Field(description="Its interval; null where episodes do not bound it.")
    slope: float | None = Field(description="Accuracy gained per unit of gap at the threshold.")
    p_rise: float = Field(
        description="Chance of so strong a rise if accuracy did not depend on the gap, from permuted gaps of episodes."
    )
    deviance: float = Field(description="Twice the log-likelihood that is missing to a fit of each episode by itself.")
    n: int = Field(description="Rows.")
    episodes: int
    note: str | None = Field(description="What must be known to read the fit; null if nothing.")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def rises(self) -> bool:
        """Whether accuracy rises with the gap beyond chance; if not, the curve means nothing."""
        return self.p_rise < _SIGNIFICANT

    def probability(self, gap: float) -> float:
        """Accuracy at a gap."""
        return float(accuracy(np.array([gap]), np.array([self.scale, self.shape, self.lapse]))[0])

    def curve(self, gaps: Iterable[float]) -> list[float]:
        """Accuracy at several gaps."""
        return [self.probability(gap) for gap in gaps]


@dataclass(frozen=True)
class _Episodes:
    """For each episode its gap, how many rows are correct, and how many there are; in order of the gap."""

    gaps: NDArray[np.float64]
    correct: NDArray[np.float64]
    sizes: NDArray[np.float64]


def fit_psychometric(
    gap: ArrayLike, correct: ArrayLike, clusters: Sequence[Hashable], *, seed: int = 0, level: float = LEVEL
) -> Psychometric | None:
    """Fit the curve by maximum likelihood, with the interval of its threshold by cluster bootstrap.

    Args:
        gap: How far apart the hidden values of each row are, at least 0.
        correct: Whether each row is correct.
        clusters: The episode of each row.
        seed: Seed of permutations and of the bootstrap.
        level: Confidence.

    Returns:
        The fit; its ``note`` says where it means nothing. None with fewer than four different gaps.
    """
    episodes = _by_episode(gap, correct, clusters)
    if len(np.unique(episodes.gaps)) < _FEWEST_GAPS:
        return None
    grid = GoodnessGrid(episodes.gaps)
    wrong = episodes.sizes - episodes.correct
    best = refine(grid.best(episodes.correct, wrong), episodes.gaps, episodes.correct, wrong)
    p_rise = _p_rise(episodes, seed)
    crossing, note = _threshold(best, episodes.gaps, p_rise)
    interval = None
    if crossing is not None:
        interval = _threshold_interval(grid, episodes, crossing, seed, level)
        if interval is None:
            note = "Too few episodes bound the threshold: its interval reaches beyond the largest gap."
    return Psychometric(
        lapse=best.lapse,
        scale=best.scale,
        shape=best.shape,
        threshold=crossing,
        threshold_interval=interval,
        slope=None if crossing is None else best.slope(crossing),
        p_rise=p_rise,
        deviance=best.deviance(episodes.gaps, episodes.correct, wrong),
        n=int(episodes.sizes.sum()),
        episodes=len(episodes.gaps),
        note=note,
    )


def _by_episode(gap: ArrayLike, correct: ArrayLike, clusters: Sequence[Hashable]) -> _Episodes:
    numbers = number_clusters(clusters)
    sizes = np.bincount(numbers)
    of_episode = np.bincount(numbers, weights=np.asarray(correct, float))
    # All rows of an episode have the same gap; their mean would be another number in its last digit.
    gaps = np.zeros(len(sizes))
    np.maximum.at(gaps, numbers, np.asarray(gap, float))
    order = np.lexsort((of_episode, sizes, gaps))
    return _Episodes(gaps[order], of_episode[order], sizes[order].astype(float))


def _p_rise(episodes: _Episodes, seed: int) -> float:
    """One-sided p of the covariance of the gap's rank with correct rows beyond the mean, gaps being permuted."""
    # Times the number of rows, so that all are whole numbers and rounding does not part what is equal.
    correct, sizes = episodes.correct.astype(np.int64), episodes.sizes.astype(np.int64)
    beyond = correct * sizes.sum() - sizes * correct.sum()
    ranks = np.searchsorted(episodes.gaps, episodes.gaps, "left") + np.searchsorted(
        episodes.gaps, episodes.gaps, "right"
    )
    permuted = np.random.default_rng(seed).permuted(np.tile(ranks, (_PERMUTATIONS, 1)), axis=1)
    as_strong = int((permuted @ beyond >= ranks @ beyond).sum())
    return (as_strong + 1) / (_PERMUTATIONS + 1)


def _threshold(best: Shape, gaps: NDArray[np.float64], p_rise: float) -> tuple[float | None, str | None]:
    """The threshold, or why there is none."""
    if p_rise >= _SIGNIFICANT:
        return (
            None,
            f"Accuracy does not rise with the gap beyond chance (p = {p_rise:.2f}), so the curve means nothing.",
        )
    crossing = threshold(best.scale, best.shape, best.lapse)
    if crossing > gaps[-1]:
        return None, "Accuracy stays below 0.75 up to the largest gap."
    if crossing < gaps[0]:
        return None, "Accuracy is above 0.75 at the smallest gap already."
    return float(crossing), None


def _threshold_interval(
    grid: GoodnessGrid, episodes: _Episodes, crossing: float, seed: int, level: float
) -> Interval | None:
    clusters = len(episodes.gaps)
    drawn = draw(np.ones(clusters), _RESAMPLES, seed)
    found = grid.thresholds(drawn * episodes.correct, drawn * (episodes.sizes - episodes.correct))
    low, high = (float(end) for end in np.quantile(found, tails(level, clusters)))
    if high > episodes.gaps[-1]:
        return None
    # Resamples are fitted on a grid only, whose steps must not leave the estimate outside.
    return Interval(low=min(low, crossing), high=max(high, crossing), level=level, method="cluster bootstrap")


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
