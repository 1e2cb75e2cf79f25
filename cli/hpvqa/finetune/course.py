"""What is measured in the course of a training."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import TrainerCallback

from hpvqa.files import write_text
from hpvqa.finetune.examples import IGNORED
from hpvqa.finetune.prepared import Measure
from hpvqa.vlm.training_record import read_metrics

WRITTEN = ("epoch", "loss", "grad_norm", "learning_rate", "eval_loss", "eval_accuracy")
"""What is written down of all that is measured."""


class Report(TrainerCallback):  # type: ignore[misc] # transformers is not typed
    """Writes what is measured, and checks once more at the end.

    Args:
        path: The file.
        on_step: Told the number of every finished step, and what was measured since, if anything was.
    """

    def __init__(self, path: Path, on_step: Callable[[int, dict[str, float]], None]) -> None:
        self._path = path
        self._on_step = on_step

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Forget what was measured after the checkpoint that is gone on from."""
        if state.is_world_process_zero:
            write_text(self._path, "".join(_until(self._path, state.global_step)))

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Count, and have the last step checked."""
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
        if state.is_world_process_zero:
            self._on_step(state.global_step, {})

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **others: Any) -> None:
        """Write a line."""
        # JSON has no NaN.
        measured = {name: value for name, value in (logs or {}).items() if name in WRITTEN and math.isfinite(value)}
        # At its end the Trainer says once more how far it is, also where it has nothing left to do.
        if state.is_world_process_zero and measured.keys() - {"epoch"}:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(_line({"step": state.global_step, **measured}))
            self._on_step(state.global_step, measured)


def correct_first(logits: Any, labels: Any) -> Any:
    """Whether the first token of each answer is the likeliest of all, shape (rows,)."""
    if isinstance(logits, tuple):
        logits = logits[0]
    first = (labels != IGNORED).int().argmax(1)
    rows = torch.arange(len(labels), device=labels.device)
    return (logits[rows, first - 1].argmax(-1) == labels[rows, first]).float()


def correct_whole(logits: Any, labels: Any) -> Any:
    """Whether each token of each answer is the likeliest, so that a model would say the whole, shape (rows,)."""
    if isinstance(logits, tuple):
        logits = logits[0]
    likeliest, wanted = logits[:, :-1].argmax(-1), labels[:, 1:]
    return ((likeliest == wanted) | (wanted == IGNORED)).all(1).float()


CORRECT: Mapping[Measure, Callable[[Any, Any], Any]] = {"first": correct_first, "whole": correct_whole}
"""What tells from logits and labels which answers are correct."""


def accuracy(found: Any) -> dict[str, float]:
    """The share of answers that are correct, of what :data:`CORRECT` says of each."""
    return {"accuracy": float(np.mean(found.predictions))}


def _until(path: Path, step: int) -> list[str]:
    """The lines of a file of metrics up to a step, without those that are damaged."""
    if not path.is_file():
        return []
    return [_line(measured) for measured in read_metrics(path) if measured["step"] <= step]


def _line(measured: Mapping[str, float]) -> str:
    return json.dumps(measured) + "\n"
