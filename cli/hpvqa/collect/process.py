"""The child as a process of its own group, so that ending it ends all that it started."""

from __future__ import annotations

import os
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
_KIT_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "ISAAC_PATH", "EXP_PATH", "CARB_APP_PATH")
"""What Kit sets for its own Python; a child that inherits it would load the wrong modules."""


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment for a child that starts its own Kit, also when we run inside of another one."""
    cleaned = {name: value for name, value in environ.items() if name not in _KIT_VARIABLES}
    kit = environ.get("ISAAC_PATH") or environ.get("CARB_APP_PATH")
    libraries = environ.get("LD_LIBRARY_PATH", "").split(os.pathsep)
    kept = [path for path in libraries if path and not (kit and path.startswith(kit))]
    cleaned.pop("LD_LIBRARY_PATH", None)
    if kept:
        cleaned["LD_LIBRARY_PATH"] = os.pathsep.join(kept)
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
