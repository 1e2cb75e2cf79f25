"""Writing a file whole, or not at all."""

from __future__ import annotations

from pathlib import Path

from hpvqa.errors import RunError, UsageError


def check_target(path: Path) -> None:
    """Make sure, before anything takes time, that a file can be where it is wanted.

    Raises:
        UsageError: Its folder does not exist, or it is a folder itself.
    """
    if not path.parent.is_dir():
        raise UsageError(f"The folder {path.parent} does not exist; make it, or choose another place for {path.name}")
    if path.is_dir():
        raise UsageError(f"{path} is a folder; name a file")


def write_text(path: Path, text: str) -> None:
    """Write a file under a neighbouring name first, then rename it.

    Raises:
        RunError: The disk does not take it.
    """
    draft = path.with_name(path.name + ".partial")
    try:
        draft.write_text(text, encoding="utf-8", newline="")
        draft.replace(path)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise RunError(f"{path} cannot be written: {error.strerror}") from None
