"""Checkpoints of a training: which of them are whole, and what is left of one that is not."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Self

from hpvqa.errors import RunError, UsageError, printable
from hpvqa.files import read_json
from hpvqa.vlm.adapter import WEIGHTS
from hpvqa.vlm.checkpoint import read_shapes
from hpvqa.vlm.saving import of_disk, open_up, reason

CHECKPOINTS = "checkpoints"
_STATE_FILE = "trainer_state.json"
"""Written last."""
_COUNTED = ("epoch", "total_flos", "num_input_tokens_seen")
DELETE_IT = "if it is damaged, delete it, and --resume takes the one before it"


def last_checkpoint(out: Path) -> Path | None:
    """The newest whole checkpoint in an adapter's folder; one whose saving was cut short is passed over."""
    found = [(step, path) for path in (out / CHECKPOINTS).glob("checkpoint-*") if (step := _step(path)) is not None]
    return max(found)[1] if found else None


def step_of(checkpoint: Path | None) -> int:
    """How many steps a checkpoint has behind it."""
    return 0 if checkpoint is None else _step(checkpoint) or 0


@contextmanager
def saving(out: Path, checkpoint: Path) -> Iterator[None]:
    """Surroundings in which a checkpoint is written: it is flushed to disk, and no part of one stays.

    Args:
        out: The adapter's folder.
        checkpoint: The checkpoint's folder.

    Raises:
        RunError: The disk does not take it; earlier checkpoints are whole.
    """
    try:
        yield
        open_up(checkpoint)
    except Exception as error:
        # torch says that a disk is full in words of its own.
        if not (of_disk(error) or isinstance(error, RuntimeError)):
            raise
        why = reason(error, out)
        shutil.rmtree(checkpoint, ignore_errors=True)
        raise RunError(
            f"The training could not be saved in {out} ({why}); make room there, and go on with --resume"
        ) from None


def _step(path: Path) -> int | None:
    """The number of steps of a checkpoint that is whole; None if it is not."""
    try:
        state = read_json(path / _STATE_FILE)
        read_shapes(path / WEIGHTS)
        # torch's files end with a list of what they hold.
        whole = all(zipfile.is_zipfile(file) for file in path.iterdir() if file.suffix in {".pt", ".pth"})
        # The Trainer goes on counting and comparing with them.
        whole &= all(isinstance(state.get(name, 0), int | float) for name in _COUNTED)
        whole &= all(isinstance(state.get(name), int | float | None) for name in ("best_metric", "best_global_step"))
        whole &= all(isinstance(value, int | float) for line in state.get("log_history", []) for value in line.values())
        step = state["global_step"]
        return step if whole and type(step) is int and path.name == f"checkpoint-{step}" else None
    except (OSError, UsageError, ValueError, KeyError, TypeError, AttributeError, zipfile.BadZipFile):
        return None


@dataclass(frozen=True)
class Course:
    """How a training went.

    Attributes:
        steps: Optimiser steps that were taken.
        epochs: How often every row was seen.
        best: What the best check measured.
    """

    steps: int
    epochs: float
    best: dict[str, float]

    @classmethod
    def of(cls, steps: int, epochs: float | None, history: Sequence[dict[str, float]]) -> Self:
        """That of what the Trainer wrote down."""
        checks = [entry for entry in history if "eval_loss" in entry]
        best = min(checks, key=lambda entry: entry["eval_loss"]) if checks else {}
        return cls(steps, float(epochs or 0.0), best)


def course_of(checkpoint: Path) -> Course | None:
    """The course of a training that had ended when this checkpoint was written; None if there were steps to come.

    Raises:
        RunError: It is damaged.
    """
    state = read_json(checkpoint / _STATE_FILE)
    try:
        if state["stateful_callbacks"]["TrainerControl"]["args"]["should_training_stop"] is not True:
            return None
        return Course.of(state["global_step"], state["epoch"], state["log_history"])
    except (KeyError, TypeError, ValueError) as error:
        raise RunError(f"{checkpoint / _STATE_FILE} cannot be used ({printable(repr(error))}); {DELETE_IT}") from None


def best_before(checkpoint: Path) -> Path | None:
    """The checkpoint beside this one that was the best when it was written; None if none was.

    Its place is not read from the state, for the training may have been moved, or is somebody else's.

    Raises:
        RunError: It is gone, or not whole.
    """
    named = read_json(checkpoint / _STATE_FILE).get("best_model_checkpoint")
    if not isinstance(named, str):
        return None
    best = checkpoint.parent / Path(named).name
    if _step(best) is None:
        raise RunError(f"{best}, the best of this training so far, is gone or damaged; train anew into another folder")
    return best
