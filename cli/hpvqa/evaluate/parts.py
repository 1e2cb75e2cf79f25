"""The parts of a run that are scored separately: conditions, other words, views that its model was not trained on."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TypeVar

from hpvqa.evaluate.conditions import PLAIN
from hpvqa.evaluate.prediction import Reply
from hpvqa.vlm.training_record import strange_views

UNTRAINED = "untrained views"
"""What stands behind the name of a condition whose rows show views that the model was not trained on."""

OTHER_WORDS = "other words"
"""What stands behind the name of a condition whose rows ask in paraphrases of the tasks' own words."""

R = TypeVar("R", bound=Reply)

_NUMBERS = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")


def untrained(name: str) -> str:
    """The name of the part of a condition that holds the views that the model was not trained on."""
    return f"{name}, {UNTRAINED}"


def parts_of(replies: Iterable[R], views: Mapping[str, tuple[str, ...]]) -> dict[str, list[R]]:
    """Answers by condition, plain first, then those to paraphrases; behind all, those to views not trained on.

    A run is judged by the first part. Only parts with a row are there.

    Args:
        replies: The answers of a run to one form of question.
        views: The cameras of each task that the model was trained on; none: it is not known, and all count.
    """
    known: dict[str, list[R]] = {PLAIN.name: []}
    reworded: dict[str, list[R]] = {}
    strange: dict[str, list[R]] = {untrained(PLAIN.name): []}
    for row in replies:
        name = row.condition if row.wording is None else f"{row.condition}, {OTHER_WORDS}"
        if strange_views(views, [(row.task, row.camera)]):
            strange.setdefault(untrained(name), []).append(row)
        else:
            (known if row.wording is None else reworded).setdefault(name, []).append(row)
    return {name: rows for name, rows in (known | reworded | strange).items() if rows}


def untrained_note(predictions: Sequence[Reply], views: Mapping[str, tuple[str, ...]]) -> str | None:
    """A sentence that says which views do not count; None if all do.

    Args:
        predictions: The answers of a run.
        views: The cameras of each task that the model was trained on.
    """
    found = []
    for task in dict.fromkeys(row.task for row in predictions):
        cameras = sorted({row.camera for row in predictions if row.task == task})
        strange = [camera for camera in cameras if strange_views(views, [(task, camera)])]
        seen = [camera for camera in cameras if camera not in strange]
        if strange and seen:
            found.append(f"on {task} by {_number(len(seen))} of {_number(len(cameras))} cameras ({', '.join(seen)})")
        elif strange:
            found.append(f"not on {task} by {', '.join(strange)}")
    if not found:
        return None
    return f"The model was trained {' and '.join(found)}; all other views are scored separately, as {UNTRAINED}"


def _number(count: int) -> str:
    return _NUMBERS[count] if count < len(_NUMBERS) else str(count)
