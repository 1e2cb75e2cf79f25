"""The response bias of a run, and whether its probabilities can be trusted."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray
from pydantic import Field

from hpvqa.evaluate.prediction import Prediction, paired
from hpvqa.evaluate.statistics.calibration import brier_score, calibration_error, equal_mass_bins, mean
from hpvqa.evaluate.statistics.combine import mean_interval
from hpvqa.evaluate.statistics.detection import SaidLeft, criterion, d_prime
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval, effective_n
from hpvqa.plain import Model
from hpvqa.scene.spec import SIDES


class Bias(Model):
    """The response bias in one task. Rows that could not be answered do not count."""

    task: str
    n: int = Field(description="How many rows were answered.")
    invalid: int = Field(description="How many of them with none of the choices.")
    episodes: int
    effective_n: float = Field(description="Effective sample size of the share of left.")
    said_left: float | None = Field(description="Share of left among valid answers; null without any.")
    said_left_interval: Interval | None
    p_left: float | None = Field(description="Mean probability of left; null without log-probabilities.")
    balanced_accuracy: float | None = Field(
        description="Mean of the accuracies of both true sides, invalid answers being wrong; null if one has no row."
    )
    balanced_interval: Interval | None = Field(description="Combined from the intervals of both sides' accuracies.")
    d_prime: float | None = Field(
        description="d′: how well valid answers separate left from right, log-linearly corrected, with effective "
        "trials; 0: not at all."
    )
    d_prime_interval: Interval | None
    criterion: float | None = Field(description="Negative if left is preferred, positive if right is.")
    criterion_interval: Interval | None
    brier: float | None = Field(description="Brier score of the probability of left; 0.25 is that of a constant half.")
    ece: float | None = Field(description="Expected calibration error of it, in ten bins of equal mass.")
    p_choices: float | None = Field(description="Mean probability that one of the choices is said at all.")


class ReliabilityBin(Model):
    """Rows with about the same probability of left."""

    low: float = Field(description="The smallest probability among them.")
    high: float = Field(description="The largest one.")
    p_left: float = Field(description="The mean one.")
    left: float = Field(description="Share of rows where left is true.")
    interval: Interval = Field(description="Interval of this share.")
    n: int
    episodes: int


class FlipConsistency(Model):
    """Whether answers stay when the choices are named in the other order."""

    same: int = Field(description="Rows with the same word both times; an invalid answer is never the same.")
    n: int = Field(description="Rows that were answered both times.")
    episodes: int
    effective_n: float = Field(description="Effective sample size of the rate.")
    rate: float | None = Field(description="Share of the same; null without any row.")
    interval: Interval | None
    mean_shift: float | None = Field(
        description="Mean of the probability of left in the other order minus that in the usual one; null if not known."
    )
    plain_accuracy: float | None = Field(description="Accuracy on these rows in the usual order.")
    swap_accuracy: float | None = Field(description="Accuracy on these rows in the other order.")


def bias(predictions: Sequence[Prediction], *, seed: int = 0) -> list[Bias]:
    """The response bias, task by task.

    Args:
        predictions: The rows, under one condition.
        seed: Seed of the intervals that are found by bootstrap.
    """
    tasks = dict.fromkeys(row.task for row in predictions)
    return [_bias(task, [r for r in predictions if r.task == task and r.error is None], seed) for task in tasks]


def reliability(predictions: Sequence[Prediction], *, seed: int = 0) -> list[ReliabilityBin]:
    """How often left is true where it was given some probability, in up to ten bins of equal mass.

    Args:
        predictions: The rows of one task, under one condition.
        seed: Seed of the intervals that are found by bootstrap.

    Returns:
        The bins; none without log-probabilities.
    """
    rows, p, is_left = _probabilities(predictions)
    found = []
    for numbers in equal_mass_bins(p):
        clusters = [rows[number].cluster for number in numbers]
        interval = accuracy_interval(is_left[numbers], clusters, seed=seed)
        if interval is not None:
            found.append(
                ReliabilityBin(
                    low=float(p[numbers].min()),
                    high=float(p[numbers].max()),
                    p_left=mean(p[numbers]),
                    left=mean(is_left[numbers]),
                    interval=interval,
                    n=len(numbers),
                    episodes=len(set(clusters)),
                )
            )
    return found


def flip_consistency(plain: Sequence[Prediction], swap: Sequence[Prediction], *, seed: int = 0) -> FlipConsistency:
    """How often the same word is the answer in both orders of the choices.

    Args:
        plain: Rows in the usual order.
        swap: The same rows, or some of them, in the other order.
        seed: Seed of the interval if it is found by bootstrap.
    """
    pairs = paired(plain, swap)
    same = [a.prediction is not None and a.prediction == b.prediction for a, b in pairs]
    clusters = [a.cluster for a, _ in pairs]
    shifts = [b.p_left - a.p_left for a, b in pairs if a.p_left is not None and b.p_left is not None]
    return FlipConsistency(
        same=sum(same),
        n=len(pairs),
        episodes=len(set(clusters)),
        effective_n=effective_n(same, clusters),
        rate=_mean(same),
        interval=accuracy_interval(same, clusters, seed=seed),
        mean_shift=_mean(shifts),
        plain_accuracy=_mean([a.is_correct for a, _ in pairs]),
        swap_accuracy=_mean([b.is_correct for _, b in pairs]),
    )


def _bias(task: str, rows: Sequence[Prediction], seed: int) -> Bias:
    valid = [row for row in rows if row.prediction is not None]
    said = [row.prediction == "left" for row in valid]
    _, p, is_left = _probabilities(rows)
    balanced_share, balanced_interval = balanced(rows, seed)
    clusters = [row.cluster for row in valid]
    sides = _detected(valid, seed)
    d, d_interval = d_prime(*sides) if sides else (None, None)
    c, c_interval = criterion(*sides) if sides else (None, None)
    return Bias(
        task=task,
        n=len(rows),
        invalid=len(rows) - len(valid),
        episodes=len({row.cluster for row in rows}),
        effective_n=effective_n(said, clusters),
        said_left=_mean(said),
        said_left_interval=accuracy_interval(said, clusters, seed=seed),
        p_left=_mean(p),
        balanced_accuracy=balanced_share,
        balanced_interval=balanced_interval,
        d_prime=d,
        d_prime_interval=d_interval,
        criterion=c,
        criterion_interval=c_interval,
        brier=brier_score(p, is_left) if len(p) else None,
        ece=calibration_error(p, is_left) if len(p) else None,
        p_choices=_mean([row.p_choices for row in rows if row.p_choices is not None]),
    )


def balanced(rows: Sequence[Prediction], seed: int) -> tuple[float | None, Interval | None]:
    """Mean of the accuracies of both true sides, with its interval; None if one of them has no row."""
    shares, intervals = [], []
    for side in SIDES:
        of_side = [row for row in rows if row.answer == side]
        correct = [row.is_correct for row in of_side]
        interval = accuracy_interval(correct, [row.cluster for row in of_side], seed=seed)
        if interval is None:
            return None, None
        shares.append(sum(correct) / len(correct))
        intervals.append(interval)
    (left, right), (of_left, of_right) = shares, intervals
    return (left + right) / 2, mean_interval(left, of_left, right, of_right)


def _detected(valid: Sequence[Prediction], seed: int) -> tuple[SaidLeft, SaidLeft] | None:
    """How often left is said where it is true, and where right is; None unless both sides have rows."""
    found = []
    for side in SIDES:
        rows = [row for row in valid if row.answer == side]
        said = [row.prediction == "left" for row in rows]
        found.append(SaidLeft.of(said, [row.cluster for row in rows], seed=seed))
    left, right = found
    return (left, right) if left and right else None


def _probabilities(
    rows: Sequence[Prediction],
) -> tuple[list[Prediction], NDArray[np.float64], NDArray[np.bool_]]:
    """Rows with a probability of left, these, and whether left is true."""
    known = [row for row in rows if row.p_left is not None and row.error is None]
    return (
        known,
        np.array([row.p_left for row in known], float),
        np.array([row.answer == "left" for row in known], bool),
    )


def _mean(values: ArrayLike) -> float | None:
    found = np.asarray(values, float)
    return mean(found) if found.size else None
