"""How trainings go: what was measured in their course so far."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from hpvqa.errors import UsageError, printable
from hpvqa.files import is_file, read_bytes
from hpvqa.plain import parse_json
from hpvqa.vlm.training_record import METRICS_FILE

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
        lines = read_bytes(folder / METRICS_FILE).splitlines()
    except OSError as error:
        lines, trouble = [], f"{METRICS_FILE} cannot be read: {error.strerror or error}"
    for line in lines:
        try:
            found = parse_json(line)
        except ValueError:
            # It is being written.
            continue
        if isinstance(found, dict) and _is_number(found.get("step")):
            for name in charts:
                if _is_number(found.get(name)):
                    charts[name].append([found["step"], found[name]])
    return {
        "name": printable(folder.resolve().name),
        "trouble": trouble,
        "charts": [{"title": _SHOWN[name], "points": points} for name, points in charts.items() if points],
    }


def _is_number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)
