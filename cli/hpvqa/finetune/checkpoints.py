"""Checkpoints of a training: which of them are whole, and what is left of one that is not."""

from __future__ import annotations

import shutil
import zipfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpvqa.errors import RunError, UsageError
from hpvqa.files import read_json
from hpvqa.vlm.adapter import WEIGHTS
from hpvqa.vlm.checkpoint import read_shapes
from hpvqa.vlm.saving import of_disk, open_up, reason

CHECKPOINTS = "checkpoints"
_STATE_FILE = "trainer_state.json"
"""Written last."""


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
        return int(state["global_step"]) if whole else None
    except (OSError, UsageError, ValueError, KeyError, TypeError):
        return None
