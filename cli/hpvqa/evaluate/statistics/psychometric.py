"""Accuracy as a function of how far apart the hidden values are."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field, computed_field

from hpvqa.evaluate.statistics.bootstrap import draw, tails
from hpvqa.evaluate.statistics.clusters import number_clusters
from hpvqa.evaluate.statistics.interval import LEVEL, Interval
from hpvqa.evaluate.statistics.weibull import GUESS, GoodnessGrid, Shape, accuracy, refine, threshold
from hpvqa.plain import Model

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
