"""Writing a checkpoint: its folder appears whole or not at all."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from hpvqa.vlm.quiet import quiet
from hpvqa.vlm.saving import new_folder


def save_checkpoint(
    model: Any,
    processor: Any,
    out: Path,
    *,
    finish: Callable[[Path], None] | None = None,
    replace: bool = False,
) -> None:
    """Write a model and its processor.

    Args:
        model: The model.
        processor: Its processor.
        out: The folder.
        finish: Writes what else belongs into the folder.
        replace: Whether a folder that is there is replaced.

    Raises:
        RunError: The disk does not take it.
    """
    with new_folder(out, replace=replace) as draft:
        with quiet():
            processor.save_pretrained(draft)
            model.save_pretrained(draft)
        if finish is not None:
            finish(draft)
