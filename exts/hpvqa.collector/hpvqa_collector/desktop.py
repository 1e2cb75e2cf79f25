"""Opening folders and files in the desktop's own programs."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from hpvqa_collector.errors import BadInputError


def home_folder() -> Path:
    """The user's home folder, or the working one for a user without (as in a container)."""
    try:
        return Path.home()
    except RuntimeError:
        return Path.cwd()


def open_path(path: Path | None, environ: Mapping[str, str]) -> None:
    """Open a folder or a file.

    Args:
        path: What to open.
        environ: An environment that is not Kit's.

    Raises:
        BadInputError: It is not there, or nothing here can open it.
    """
    if path is None or not path.exists():
        raise BadInputError(f"There is no {path} yet" if path else "There is nothing to open yet")
    program = shutil.which("xdg-open", path=environ.get("PATH"))
    if program is None:
        raise BadInputError(f"This desktop has no xdg-open; it is {path}")
    subprocess.Popen(
        [program, str(path)],
        env=dict(environ),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
