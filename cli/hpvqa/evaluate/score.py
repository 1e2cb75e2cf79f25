"""Counting correct answers, with how sure the counts are."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal, TypeVar

from pydantic import Field, computed_field

from hpvqa.evaluate.gaps import gap_bins
from hpvqa.evaluate.prediction import Prediction, Reply
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval, effective_n
from hpvqa.evaluate.views import pooled
from hpvqa.plain import Model
from hpvqa.scene.spec import SIDES, Side

R = TypeVar("R", bound=Reply)

Grouping = Literal["all", "side", "camera", "pooled", "gap"]


class Cell(Model):
    """The score of some of a run's rows. Rows that could not be answered do not count."""

    task: str | None = Field(description="Their task; null: all tasks.")
    by: Grouping = Field(description="What else they have in common.")
    value: str = Field(description="The value of it.")
    correct: int = Field(description="How many rows were answered correctly.")
    n: int = Field(description="How many rows were answered.")
    invalid: int = Field(description="How many of them with none of the choices; these count as wrong.")
    episodes: int = Field(description="How many episodes these rows show: the number of independent samples.")
    majority: int = Field(
        description="How many rows are correct if the more frequent true answer of their task is always given."
    )
    effective_n: float = Field(description="Effective sample size: how many independent rows would be as informative.")
    interval: Interval | None = Field(description="Interval of the accuracy; null without any row.")

    @computed_field  # type: ignore[prop-decorator]
    @property
    def accuracy(self) -> float | None:
        """Share of correct answers; None without any row."""
        return self.correct / self.n if self.n else None

    @computed_field  # type: ignore[prop-decorator]
    @property
    def majority_accuracy(self) -> float | None:
        """The accuracy of always saying the more frequent true answer; None without any row."""
        return self.majority / self.n if self.n else None


def score(predictions: Sequence[Prediction], *, seed: int = 0) -> list[Cell]:
    """Score a run: all rows, then for each task all of its rows, by true side, by camera, and by gap where it is known.

    Where episodes were seen by several cameras, their views are also taken together, as one answer an episode.

    The majority answer is that of a task's answered rows, left if both are as frequent; it is the same one in all cells
    of the task, so that by side it scores 1 and 0.

    Args:
        predictions: The rows, under one condition.
        seed: Seed of the intervals that are found by bootstrap.
    """
    answered = [row for row in predictions if row.error is None]
    counts = Counter((row.task, row.answer) for row in answered)
    majority: dict[str, Side] = {
        row.task: "left" if counts[row.task, "left"] >= counts[row.task, "right"] else "right" for row in answered
    }
    cells = [_cell(None, "all", "all", answered, majority, seed)]
    for task in dict.fromkeys(row.task for row in predictions):
        groups = _groups([row for row in predictions if row.task == task])
        cells += [_cell(task, by, value, rows, majority, seed) for by, value, rows in groups]
    return cells


def _groups(rows: Sequence[Prediction]) -> Iterator[tuple[Grouping, str, list[Prediction]]]:
    """The answered rows of one task, grouped. Groups are those of all rows, so that runs have the same ones."""
    answered = [row for row in rows if row.error is None]
    yield "all", "all", answered
    for side in SIDES:
        yield "side", side, [row for row in answered if row.answer == side]
    for camera in dict.fromkeys(row.camera for row in rows):
        yield "camera", camera, [row for row in answered if row.camera == camera]
    if together := pooled(answered):
        yield "pooled", "all views", together
    for gaps in gap_bins({row.cluster: row.gap for row in rows if row.gap is not None}.values()):
        yield "gap", gaps.label, [row for row in answered if row.gap is not None and gaps.holds(row.gap)]


def _cell(
    task: str | None,
    by: Grouping,
    value: str,
    rows: Sequence[Prediction],
    majority: Mapping[str, Side],
    seed: int,
) -> Cell:
    correct = [row.is_correct for row in rows]
    clusters = [row.cluster for row in rows]
    return Cell(
        task=task,
        by=by,
        value=value,
        correct=sum(correct),
        n=len(rows),
        invalid=sum(row.invalid for row in rows),
        episodes=len(set(clusters)),
        majority=sum(row.answer == majority[row.task] for row in rows),
        effective_n=effective_n(correct, clusters),
        interval=accuracy_interval(correct, clusters, seed=seed),
    )


def failures(replies: Sequence[R]) -> list[R]:
    """The rows that could not be answered."""
    return [reply for reply in replies if reply.error is not None]
