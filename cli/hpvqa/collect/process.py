"""The child as a process of its own group, so that ending it ends all that it started."""

from __future__ import annotations

import os
import re
import signal
import subprocess
from collections.abc import Mapping, Sequence
from contextlib import nullcontext, suppress
from pathlib import Path

from hpvqa.processes import inherited

STOP_TIME = 30.0
"""How long a child may take to end by itself [s]."""
TERMINATE_TIME = 5.0
"""How long it may take after SIGTERM [s], before it is killed."""
_KIT_FOLDERS = ("ISAAC_PATH", "CARB_APP_PATH")
"""Where a Kit says that it and its libraries are."""
_KIT_VARIABLES = (*_KIT_FOLDERS, "PYTHONPATH", "PYTHONHOME", "EXP_PATH")
"""What Kit sets for its own Python; a child that inherits it would load the wrong modules."""
_LIBRARIES = {"LD_LIBRARY_PATH": ":", "LD_PRELOAD": "[: ]"}
"""Variables that name folders and files with libraries, and what stands between the names."""


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child that starts its own Kit, also when we run inside of another one."""
    cleaned = {name: value for name, value in environ.items() if name not in (*_KIT_VARIABLES, *_LIBRARIES)}
    kits = [Path(environ[name]) for name in _KIT_FOLDERS if environ.get(name)]
    for name, between in _LIBRARIES.items():
        paths = [path for path in re.split(between, environ.get(name, "")) if path]
        kept = [path for path in paths if not any(Path(path).is_relative_to(kit) for kit in kits)]
        if kept:
            cleaned[name] = ":".join(kept)
    return {**cleaned, "PYTHONUNBUFFERED": "1"}


class ChildProcess:
    """A running child.

    Args:
        command: What to run.
        environ: Its environment.
        log: File that gets all it prints, from the start; None: it prints where we do.
    """

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path | None = None) -> None:
        # What is meant for our group may come before the child has left it.
        with nullcontext() if log is None else log.open("wb") as file, inherited():
            self._process = subprocess.Popen(
                list(command),
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=None if file is None else subprocess.STDOUT,
                process_group=0,
            )

    def ended(self) -> int | None:
        """The exit code; None while it runs."""
        return self._process.poll()

    def finish(self) -> None:
        """Wait for a child that was asked to stop; end it if it does not."""
        with suppress(subprocess.TimeoutExpired):
            self._process.wait(STOP_TIME)
        self.kill()

    def kill(self) -> None:
        """End the child and all that it started."""
        for number, seconds in ((signal.SIGTERM, TERMINATE_TIME), (signal.SIGKILL, None)):
            with suppress(ProcessLookupError):
                os.killpg(self._process.pid, number)
            with suppress(subprocess.TimeoutExpired):
                self._process.wait(seconds)
