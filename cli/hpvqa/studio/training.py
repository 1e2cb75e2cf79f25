"""How trainings go: what was measured in their course so far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hpvqa.errors import UsageError, printable
from hpvqa.files import is_file
from hpvqa.vlm.training_record import METRICS_FILE, read_metrics

_SHOWN = {
    "loss": "loss in training",
    "eval_loss": "loss in validation",
    "eval_accuracy": "accuracy in validation",
    "learning_rate": "learning rate",
}
"""What is drawn, by its name in the file, and how it is called."""


def check_trainings(folders: Sequence[Path]) -> None:
    """Raise unless all of these are folders of trainings that have begun.

    Raises:
        UsageError: The message names one that is not.
    """
    for folder in folders:
        if not is_file(folder / METRICS_FILE):
            raise UsageError(
                f"{folder} is no training: it has no {METRICS_FILE}; name a folder that hpvqa finetune writes"
            )


def training(folder: Path) -> dict[str, Any]:
    """What a training has measured, as plain data: curves over its steps; lines that are not whole are left out."""
    charts: dict[str, list[list[float]]] = {name: [] for name in _SHOWN}
    trouble = None
    try:
        lines = read_metrics(folder / METRICS_FILE)
    except OSError as error:
        lines, trouble = [], f"{METRICS_FILE} cannot be read: {error.strerror or error}"
    for measured in lines:
        for name in charts.keys() & measured.keys():
            charts[name].append([measured["step"], measured[name]])
    return {
        "name": printable(folder.resolve().name),
        "trouble": trouble,
        "charts": [{"title": _SHOWN[name], "points": points} for name, points in charts.items() if points],
    }
