"""Which of the rows that went wrong are worth looking at."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import chain, zip_longest
from typing import Literal

from hpvqa.evaluate.prediction import Prediction

Failure = Literal["failed", "invalid", "wrong"]


def kind_of(prediction: Prediction) -> Failure | None:
    """What went wrong with a row; None if it was answered correctly."""
    if prediction.error is not None:
        return "failed"
    if prediction.invalid:
        return "invalid"
    return None if prediction.is_correct else "wrong"


def failures_of(predictions: Iterable[Prediction]) -> list[Prediction]:
    """The rows that went wrong, so ordered that any number of the first ones are spread over tasks and cameras.

    Within a task and camera those come first that could not be answered, then what was no answer, then what was wrong
    with most confidence, then what was wrong although the hidden values are far apart.
    """
    groups: dict[tuple[str, str], list[Prediction]] = {}
    for prediction in predictions:
        if kind_of(prediction) is not None:
            groups.setdefault((prediction.task, prediction.camera), []).append(prediction)
    ranked = [sorted(group, key=_rank) for group in groups.values()]
    rounds = zip_longest(*_alternating(ranked))
    return [prediction for prediction in chain.from_iterable(rounds) if prediction is not None]


def _alternating(groups: list[list[Prediction]]) -> list[list[Prediction]]:
    """The same groups, tasks taking turns."""
    by_task: dict[str, list[list[Prediction]]] = {}
    for group in groups:
        by_task.setdefault(group[0].task, []).append(group)
    return [group for turn in zip_longest(*by_task.values()) for group in turn if group is not None]


def _rank(prediction: Prediction) -> tuple[int, float, float]:
    order = {"failed": 0, "invalid": 1}.get(kind_of(prediction) or "", 2)
    confidence = 0.0 if prediction.p_left is None else abs(prediction.p_left - 0.5)
    return order, -confidence, -(prediction.gap or 0.0)
