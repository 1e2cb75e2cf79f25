"""The command that makes a run, or asks a single row of it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from hpvqa.dataset.load import Dataset
from hpvqa.evaluate.conditions import MULTIVIEW, Condition
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.select import Rows
from hpvqa.vlm.choice import ModelChoice


def command_of(
    dataset: Dataset, choice: ModelChoice, rows: Rows, seed: int, conditions: Sequence[Condition]
) -> list[str]:
    """The words of the command that makes a run."""
    options: dict[str, Any] = {"dataset": dataset.root, "backend": choice.backend, "model": choice.name, **choice.said}
    if isinstance(choice.look.resolution, tuple):
        options["resolution"] = "x".join(map(str, choice.look.resolution))
    options |= rows.model_dump(include=set(Rows.model_fields))
    options["episode"] = options.pop("episodes")
    options |= {"condition": [condition.name for condition in conditions], "seed": seed}
    return ["hpvqa", "eval", *_words(options)]


def asking_again(command: Sequence[str], row: Prediction) -> list[str]:
    """The words of the command that asks one row of a run again; none where the command of the run is not known."""
    camera = None if row.camera == MULTIVIEW else row.camera
    only = {"split": row.split, "task": row.task, "camera": camera, "episode": row.episode, "condition": row.condition}
    dropped = {"--out", "--limit", *(f"--{name}" for name in only)}
    kept = [
        word
        for number, word in enumerate(command)
        if word not in dropped and (number == 0 or command[number - 1] not in dropped) and word != "--restart"
    ]
    return [*kept, *_words(only)] if kept else []


def _words(options: Mapping[str, Any]) -> list[str]:
    words = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        if value is True:
            words.append(flag)
        elif isinstance(value, list | tuple):
            words += [flag, ",".join(map(str, value))]
        elif value is not None and value is not False:
            words += [flag, str(value)]
    return words
