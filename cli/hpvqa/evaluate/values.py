"""Scoring of values: how far they are off, how often they are close, whether they rank things, how sure they may be."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Sequence
from statistics import median_low
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hpvqa.evaluate.prediction import CLOSE, Estimate, relative_error
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval, effective_n
from hpvqa.evaluate.statistics.rank import measured_rank
from hpvqa.evaluate.statistics.resample import measured_median, median
from hpvqa.plain import Model

Grouping = Literal["all", "thing", "camera", "pooled"]

NEAR = 0.25
"""A value that is off by no more than this share of the true one is near."""


class Share(Model):
    """How often something holds, with its interval."""

    share: float
    interval: Interval


class Constant(Model):
    """What always answering with the mean of the training split would score on the same rows."""

    error: float | None = Field(description="Median of the relative errors; null if half of them are infinite.")
    within_10: float
    within_25: float


class ValueCell(Model):
    """The score of some of a run's values. Rows that could not be answered do not count."""

    task: str
    by: Grouping = Field(description="What else they have in common.")
    value: str = Field(description="The value of it.")
    n: int = Field(description="How many rows were answered.")
    invalid: int = Field(description="How many of them with no number in the unit; these count as infinitely far off.")
    episodes: int = Field(description="How many episodes these rows show: the number of independent samples.")
    effective_n: float = Field(description="Effective sample size of the share within a tenth.")
    error: float | None = Field(description="Median of the relative errors; null if half of them are infinite.")
    error_interval: Interval | None
    within_10: Share = Field(description="Share that is off by a tenth of the true value at most.")
    within_25: Share = Field(description="Share that is off by a quarter of it at most.")
    rank_correlation: float | None = Field(
        description="Spearman's, of valid answers with the true values; null where either are all the same."
    )
    rank_interval: Interval | None
    coverage_50: Share | None = Field(
        description="How often the true value lies in the central half of the answer's distribution; null without."
    )
    coverage_90: Share | None = Field(description="The same for the central nine tenths.")
    training_mean: Constant | None = Field(description="The training mean on the same rows; null where not known.")


def score_values(estimates: Sequence[Estimate], *, seed: int = 0) -> list[ValueCell]:
    """Score the values of a run: for each task all of its rows, by thing, by camera, and with all views pooled.

    Args:
        estimates: The rows, under one condition.
        seed: Seed of the intervals that are found by bootstrap.
    """
    cells = []
    for task in dict.fromkeys(row.task for row in estimates):
        answered = [row for row in estimates if row.task == task and row.error is None]
        cells += [_cell(task, by, value, rows, seed) for by, value, rows in _groups(answered) if rows]
    return cells


def pooled_values(rows: Sequence[Estimate]) -> list[Estimate]:
    """One answer for each thing of an episode, the median of its views; views without a number do not count.

    Args:
        rows: Answered rows under one condition.

    Returns:
        None if every thing was seen by one camera only.
    """
    things: dict[Hashable, list[Estimate]] = {}
    for row in rows:
        things.setdefault((row.cluster, row.about), []).append(row)
    if all(len(views) == 1 for views in things.values()):
        return []
    found = []
    for views in things.values():
        valid = [row.prediction for row in views if row.prediction is not None]
        value = median_low(valid) if valid else None
        close = relative_error(value, views[0].answer) <= CLOSE
        found.append(views[0].model_copy(update={"prediction": value, "is_correct": close, "quantiles": None}))
    return found


def _groups(answered: Sequence[Estimate]) -> Iterator[tuple[Grouping, str, list[Estimate]]]:
    yield "all", "all", list(answered)
    things = dict.fromkeys(row.about for row in answered)
    for thing in things if len(things) > 1 else ():
        yield "thing", thing, [row for row in answered if row.about == thing]
    for camera in dict.fromkeys(row.camera for row in answered):
        yield "camera", camera, [row for row in answered if row.camera == camera]
    yield "pooled", "all views", pooled_values(answered)


def _cell(task: str, by: Grouping, value: str, rows: Sequence[Estimate], seed: int) -> ValueCell:
    clusters = [row.cluster for row in rows]
    errors = np.array([relative_error(row.prediction, row.answer) for row in rows])
    error, error_interval = measured_median(errors, clusters, seed=seed)
    valid = [(row.prediction, row.answer) for row in rows if row.prediction is not None]
    ranked = np.array(valid, dtype=float).reshape(-1, 2)
    of_valid = [row.cluster for row in rows if row.prediction is not None]
    rank, rank_interval = measured_rank(ranked, of_valid)
    return ValueCell(
        task=task,
        by=by,
        value=value,
        n=len(rows),
        invalid=sum(row.invalid for row in rows),
        episodes=len(set(clusters)),
        effective_n=effective_n(errors <= CLOSE, clusters),
        error=error,
        error_interval=error_interval,
        within_10=_share(errors <= CLOSE, clusters, seed),
        within_25=_share(errors <= NEAR, clusters, seed),
        rank_correlation=rank,
        rank_interval=rank_interval,
        coverage_50=_coverage(rows, 0.25, 0.75, seed),
        coverage_90=_coverage(rows, 0.05, 0.95, seed),
        training_mean=_constant(rows),
    )


def _share(holds: Sequence[bool] | NDArray[np.bool_], clusters: Sequence[Hashable], seed: int) -> Share:
    interval = accuracy_interval(holds, clusters, seed=seed)
    assert interval is not None  # noqa: S101 - there is a row
    return Share(share=float(np.mean(holds)), interval=interval)


def _coverage(rows: Sequence[Estimate], low: float, high: float, seed: int) -> Share | None:
    known = [row for row in rows if row.quantiles is not None and {low, high} <= row.quantiles.keys()]
    if not known:
        return None
    held = [(row.quantiles or {})[low] <= row.answer <= (row.quantiles or {})[high] for row in known]
    return _share(held, [row.cluster for row in known], seed)


def _constant(rows: Sequence[Estimate]) -> Constant | None:
    if any(row.training_mean is None for row in rows):
        return None
    errors = np.array([relative_error(row.training_mean or 0.0, row.answer) for row in rows])
    error = float(median(errors, np.ones((1, len(errors))))[0])
    return Constant(
        error=error if np.isfinite(error) else None,
        within_10=float(np.mean(errors <= CLOSE)),
        within_25=float(np.mean(errors <= NEAR)),
    )
