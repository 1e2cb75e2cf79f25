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
from hpvqa.evaluate.table import score_table


def result_json(run: Path, settings: RunSettings, predictions: Sequence[Prediction]) -> dict[str, Any]:
    """What ``hpvqa eval --json`` prints."""
    return {
        "run": str(run),
        "settings": settings.model_dump(mode="json"),
        "cells": [cell.model_dump() for cell in score(predictions)],
        "failed": [{"file_name": row.file_name, "error": row.error} for row in failures(predictions)],
    }


def print_result(run: Path, settings: RunSettings, predictions: Sequence[Prediction], console: Console) -> None:
    """Print the score, and the rows that could not be answered."""
    title = f"{settings.model} on {settings.dataset} ({settings.split})"
    console.print(score_table(score(predictions), title))
    failed = failures(predictions)
    for prediction in failed:
        console.print(Text(f"not answered: {prediction.file_name} ({prediction.error})"), soft_wrap=True)
    if failed:
        rows = "1 row was" if len(failed) == 1 else f"{len(failed)} rows were"
        console.print(Text(f"{rows} not answered and not counted; run the same command again to try again."))
    console.print(Text(f"The run is in {run}"), soft_wrap=True)
