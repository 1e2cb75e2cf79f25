"""Signal detection: what is seen, apart from what is preferred. Left is the signal, right is noise."""

from __future__ import annotations

from dataclasses import dataclass

from scipy.special import ndtri

from hpvqa.evaluate.statistics.combine import sum_interval
from hpvqa.evaluate.statistics.interval import Interval


@dataclass(frozen=True)
class SaidLeft:
    """How often left is said where one side is true.

    Attributes:
        count: Rows where it is said.
        n: Rows; at least one.
        interval: Interval of the share.
    """

    count: int
    n: int
    interval: Interval

    @property
    def z(self) -> float:
        """Normal score of the rate."""
        return self._score(self.count)

    @property
    def ends(self) -> tuple[float, float]:
        """Normal scores of the ends of its interval."""
        return self._score(self.interval.low * self.n), self._score(self.interval.high * self.n)

    def _score(self, count: float) -> float:
        """With the log-linear correction (Hautus 1995), so that rates of 0 and 1 have finite scores too.

        Half a count is added to those of rows where left is said, and one to those of rows. Scores of a rate and of its
        complement are exactly opposite.
        """
        fewer = min(count, self.n - count)
        score = float(ndtri((fewer + 0.5) / (self.n + 1)))
        return score if count == fewer else -score


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
