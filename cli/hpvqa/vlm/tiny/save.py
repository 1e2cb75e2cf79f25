"""Writing a checkpoint: its folder appears whole or not at all."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from hpvqa.errors import RunError, UsageError


def open_new(out: Path) -> None:
    """Raise unless a folder can be made anew.

    Raises:
        UsageError: It holds something.
    """
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise UsageError(f"{out} exists already; delete it or choose another folder")


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
    partial: Path | None = None
    try:
        out.parent.mkdir(parents=True, exist_ok=True)
        partial = Path(tempfile.mkdtemp(prefix=f".{out.name}.", dir=out.parent))
        with _no_bars():
            model.save_pretrained(partial)
        processor.save_pretrained(partial)
        if finish is not None:
            finish(partial)
        for path in (partial, *partial.iterdir()):
            path.chmod(0o755 if path.is_dir() else 0o644)
        if replace:
            shutil.rmtree(out, ignore_errors=True)
        partial.replace(out)
    except OSError as error:
        raise RunError(f"{out} cannot be written: {error.strerror or error}") from None
    finally:
        if partial is not None and partial.exists():
            shutil.rmtree(partial)


@contextmanager
def _no_bars() -> Iterator[None]:
    """Writing takes no time worth a progress bar."""
    from transformers.utils import logging

    shown = logging.is_progress_bar_enabled()
    logging.disable_progress_bar()
    try:
        yield
    finally:
        if shown:
            logging.enable_progress_bar()
