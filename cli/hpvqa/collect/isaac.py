"""Collecting with Isaac Sim: which child process makes the episodes, and what to say when it ends by itself."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hpvqa.collect.batches.messages import Setup
from hpvqa.collect.batches.pool import BatchPool
from hpvqa.collect.batches.process import ChildProcess, clean_environment
from hpvqa.sim.isaac.kit_log import FATAL, reason

HUNG_TIME = 20.0
"""A Kit whose log says that it has lost its GPU is ended after this long [s]; by itself it may never end."""


def log_file(data: Path, task: str) -> Path:
    """Where Kit's log of a task is kept."""
    return data / f"isaac-{task}.log"


def starting(data: Path, environments: int, video: bool) -> str:
    """What to tell while Isaac Sim starts."""
    clips = (
        "" if not video else "; clips are encoded on the CPU, for they are more at a time than a GPU's encoder takes"
    )
    many = "1 environment" if environments == 1 else f"{environments} environments"
    return f"Starting Isaac Sim with {many}, which takes a minute or more; its log is {log_file(data, 'TASK')}{clips}"


class IsaacChild(ChildProcess):
    """Kit as a child process; one that has lost its GPU is ended."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        super().__init__(command, environ, log)
        self._read = 0
        self._lost: float | None = None

    def ended(self) -> int | None:
        """The exit code; None while it runs."""
        if self._lost is None and self._log_says_lost():
            self._lost = time.monotonic()
        if self._lost is not None and time.monotonic() - self._lost > HUNG_TIME:
            self.kill()
        return super().ended()

    def _log_says_lost(self) -> bool:
        with self.log.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        # A phrase may be cut in two by the end of what is there: some of it is read again.
        self._read += max(len(text) - 200, 0)
        return FATAL.search(text.decode(errors="replace")) is not None


def isaac_pool(command: Sequence[str], environments: int) -> BatchPool:
    """A pool whose episodes Isaac Sim makes.

    Args:
        command: How to run the Python of Isaac Sim.
        environments: How many episodes at a time.
    """

    def start(folder: Path, setup: Setup) -> IsaacChild:
        arguments = [*command, "-m", "hpvqa.collect.batches.child", str(folder)]
        return IsaacChild(arguments, clean_environment(os.environ), log_file(setup.data, setup.example.task))

    def why_ended(setup: Setup, code: int) -> str:
        log = log_file(setup.data, setup.example.task)
        words = reason(log.read_text(encoding="utf-8", errors="replace"), setup.environments)
        return (
            f"Isaac Sim ended unexpectedly (exit code {code}): {words}. Its log is {log}; "
            "run the same command again to go on, finished episodes are kept"
        )

    return BatchPool(environments, len(os.sched_getaffinity(0)), start, why_ended)
