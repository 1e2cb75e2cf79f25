"""Counting right answers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from pydantic import computed_field

from hpvqa.evaluate.prediction import Prediction
from hpvqa.scene.spec import SIDES, Model

Grouping = Literal["all", "side", "camera"]


class Cell(Model):
    """The score of some of a run's rows. Rows that could not be answered do not count.

    Attributes:
        task: Their task; None: all tasks.
        by: What else they have in common.
        value: The value of it.
        correct: How many rows were answered right.
        n: How many rows were answered.
        episodes: How many episodes these rows show: the number of independent samples.
    """

    task: str | None
    by: Grouping
    value: str
    correct: int
    n: int
    episodes: int

    @computed_field  # type: ignore[prop-decorator]
    @property
    def accuracy(self) -> float | None:
        """Share of right answers; None without any row."""
        return self.correct / self.n if self.n else None


def score(predictions: Sequence[Prediction]) -> list[Cell]:
    """Score a run: all rows, then for each task all of its rows, by true side, and by camera."""
    cells = [_cell(None, "all", "all", predictions)]
    for task in dict.fromkeys(row.task for row in predictions):
        rows = [row for row in predictions if row.task == task]
        cells.append(_cell(task, "all", "all", rows))
        cells += [_cell(task, "side", side, [row for row in rows if row.answer == side]) for side in SIDES]
        cameras = dict.fromkeys(row.camera for row in rows)
        cells += [_cell(task, "camera", name, [row for row in rows if row.camera == name]) for name in cameras]
    return cells


def _cell(task: str | None, by: Grouping, value: str, rows: Sequence[Prediction]) -> Cell:
    answered = [row for row in rows if row.error is None]
    return Cell(
        task=task,
        by=by,
        value=value,
        correct=sum(row.is_correct for row in answered),
        n=len(answered),
        episodes=len({row.cluster for row in answered}),
    )


def failures(predictions: Sequence[Prediction]) -> list[Prediction]:
    """The rows that could not be answered."""
    return [prediction for prediction in predictions if prediction.error is not None]
