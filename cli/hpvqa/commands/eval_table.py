"""The result of a run, for a person and for programs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.text import Text

from hpvqa.evaluate.folder import RunSettings
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.score import failures, score
from hpvqa.evaluate.table import condition_table, score_table


def result_json(run: Path, settings: RunSettings, predictions: Sequence[Prediction]) -> dict[str, Any]:
    """What ``hpvqa eval --json`` prints; ``cells`` is about the first condition."""
    by_condition = {
        name: [cell.model_dump(mode="json") for cell in score(rows)] for name, rows in _conditions(predictions).items()
    }
    return {
        "run": str(run),
        "settings": settings.model_dump(mode="json"),
        "cells": next(iter(by_condition.values()), []),
        "conditions": by_condition,
        "failed": [
            {"file_name": row.file_name, "condition": row.condition, "error": row.error}
            for row in failures(predictions)
        ],
    }


def print_result(run: Path, settings: RunSettings, predictions: Sequence[Prediction], console: Console) -> None:
    """Print the score under the first condition, a line for each of the others, and rows that were not answered."""
    conditions = _conditions(predictions)
    title = f"{settings.model} on {settings.dataset} ({settings.split})"
    for number, (name, rows) in enumerate(conditions.items()):
        if number == 0:
            console.print(score_table(score(rows), title if name == "plain" else f"{title}, {name}"))
    if len(conditions) > 1:
        console.print(condition_table({name: score(rows) for name, rows in conditions.items()}))
    for mark in _marks(settings):
        console.print(Text(mark, style="yellow"))
    failed = failures(predictions)
    for prediction in failed:
        console.print(Text(f"not answered: {prediction.file_name} ({prediction.error})"), soft_wrap=True)
    if failed:
        rows_were = "1 row was" if len(failed) == 1 else f"{len(failed)} rows were"
        console.print(Text(f"{rows_were} not answered and not counted; run the same command again to try again."))
    console.print(Text(f"The run is in {run}"), soft_wrap=True)


def _conditions(predictions: Sequence[Prediction]) -> dict[str, list[Prediction]]:
    found: dict[str, list[Prediction]] = {}
    for row in predictions:
        found.setdefault(row.condition, []).append(row)
    return found


def _marks(settings: RunSettings) -> list[str]:
    marks = []
    if settings.privileged:
        marks.append("Privileged: this answerer is given what a camera does not see.")
    if settings.resampling == "unknown":
        marks.append("The server may have dropped frames again, and does not tell.")
    return marks
