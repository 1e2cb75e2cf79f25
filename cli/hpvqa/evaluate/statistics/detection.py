"""Signal detection: what is seen, apart from what is preferred. Left is the signal, right is noise."""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Self

from numpy.typing import ArrayLike
from scipy.special import ndtri

from hpvqa.evaluate.statistics.combine import sum_interval
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval, effective_rows, tally

_NEVER = 1e-4
"""An interval of a rate that ends at 0 or 1, whose normal scores are infinite, is taken to end so far from there."""


@dataclass(frozen=True)
class SaidLeft:
    """How often left is said where one side is true.

    Attributes:
        count: Rows where it is said.
        n: Rows; at least one.
        trials: Effective number of rows.
        interval: Interval of the share.
    """

    count: int
    n: int
    trials: float
    interval: Interval

    @classmethod
    def of(cls, said: ArrayLike, clusters: Sequence[Hashable], *, seed: int = 0) -> Self | None:
        """From rows.

        Args:
            said: Whether left is said, one a row.
            clusters: The cluster of each row.
            seed: Seed of the interval if it is found by bootstrap.

        Returns:
            None without any row.
        """
        interval = accuracy_interval(said, clusters, seed=seed)
        if interval is None:
            return None
        rows = tally(said, clusters)
        return cls(rows.total, rows.n, effective_rows(rows), interval)

    @property
    def z(self) -> float:
        """Normal score of the rate, with the log-linear correction (Hautus 1995): rates of 0 and 1 have one too.

        Half a trial is added to those where left is said, and one to all. What is added must be small beside what there
        is, so these are effective trials: with seven views an episode, rows would be too many. Scores of a rate and of
        its complement are exactly opposite.
        """
        fewer = min(self.count, self.n - self.count)
        score = float(ndtri((fewer / self.n * self.trials + 0.5) / (self.trials + 1)))
        return score if self.count == fewer else -score

    @property
    def ends(self) -> tuple[float, float]:
        """Normal scores of the ends of its interval."""
        return _end(self.interval.low), _end(self.interval.high)


def _end(rate: float) -> float:
    return float(ndtri(min(max(rate, _NEVER), 1 - _NEVER)))


def d_prime(hits: SaidLeft, false_alarms: SaidLeft) -> tuple[float, Interval]:
    """Sensitivity with its interval: 0 if left is said as often whichever side is true.

    Args:
        hits: Where left is true.
        false_alarms: Where right is true.
    """
    return _combine(hits, false_alarms, 1.0, -1.0)


def criterion(hits: SaidLeft, false_alarms: SaidLeft) -> tuple[float, Interval]:
    """Criterion c with its interval: 0 without bias, negative if left is preferred.

    Args:
        hits: Where left is true.
        false_alarms: Where right is true.
    """
    return _combine(hits, false_alarms, -0.5, -0.5)


def _combine(a: SaidLeft, b: SaidLeft, weight_a: float, weight_b: float) -> tuple[float, Interval]:
    """A weighted sum of normal scores."""
    scores = [(weight * said.z, [weight * end for end in said.ends]) for said, weight in ((a, weight_a), (b, weight_b))]
    value = sum(score for score, _ in scores)
    return value, sum_interval(
        value, [(score, min(ends), max(ends)) for score, ends in scores], (a.interval, b.interval)
    )
