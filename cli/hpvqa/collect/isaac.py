"""Collecting with Isaac Sim: which child process makes the episodes, and what to say when it ends by itself."""

from __future__ import annotations

import os
import shutil
import sys
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

from hpvqa.collect.messages import Setup
from hpvqa.collect.pool import ChildPool, Launcher
from hpvqa.collect.process import ChildProcess, clean_environment
from hpvqa.processes import SAFE_PATH
from hpvqa.sim.isaac.kit_log import FATAL, reason
from hpvqa.sim.isaac.limits import NAMES, check_things

HUNG_TIME = 20.0
"""A Kit whose log says that it has lost its GPU is ended after this long [s]; by itself it may never end."""
FULL = 2**20
"""A disk with less than this free [bytes] is full."""


def log_file(data: Path, task: str) -> Path:
    """Where Kit's log of a task is kept."""
    return data / f"isaac-{task}.log"


def starting(data: Path, environments: int, cameras: int, physics: str = "isaacsim") -> str:
    """What to tell while Isaac Sim or Isaac Lab starts; ``cameras`` of each environment record."""
    many = "1 environment" if environments == 1 else f"{environments} environments"
    words = f"Starting {NAMES[physics]} with {many}, which takes a minute or more; its log is {log_file(data, 'TASK')}"
    if cameras and physics == "isaacsim":
        # Consumer GPUs refuse more than a few streams (NVENC), and 16 environments with seven cameras are 112.
        words += (
            f"; its {environments * cameras} clips at a time are encoded on the CPU, for a GPU's encoder may take fewer"
        )
    return words


class IsaacChild(ChildProcess):
    """Kit as a child process; one that has lost its GPU is ended."""

    def __init__(self, command: Sequence[str], environ: Mapping[str, str], log: Path) -> None:
        super().__init__(command, environ, log)
        self._log = log
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
        with self._log.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        # A phrase may be cut in two by the end of what is there: some of it is read again.
        self._read += max(len(text) - 200, 0)
        return FATAL.search(text.decode(errors="replace")) is not None


_ONE_ARENA = {"MALLOC_ARENA_MAX": "1"}
"""Each batch has its own threads that encode. With arenas of the C library for threads, memory grows by 1 MB a clip
and batch, until there are as many as it allows (docs/isaac-lab.md). Kit has threads of its own that need theirs."""


def child_environment(
    command: Sequence[str], environ: Mapping[str, str], physics: str = "isaacsim"
) -> Mapping[str, str]:
    """The environment of the child: that of another Python is ours without what Kit has set in it."""
    arenas = _ONE_ARENA if physics == "ovphysx" else {}
    if command[0] == sys.executable:
        # Scripts of Isaac Sim have set what this Python needs.
        return {**arenas, **environ, **SAFE_PATH, "PYTHONUNBUFFERED": "1"}
    return {**arenas, **clean_environment(environ), **SAFE_PATH}


def isaac_pool(command: Sequence[str], environments: int, physics: str = "isaacsim") -> ChildPool:
    """A pool whose episodes Isaac Sim or Isaac Lab makes.

    Args:
        command: How to run the Python of Isaac Lab.
        environments: How many episodes at a time.
        physics: Where it computes.
    """

    def start(address: str, setup: Setup) -> IsaacChild:
        check_things(setup.example.things, physics)
        arguments = [*command, "-m", "hpvqa.collect.child", address]
        environ = child_environment(command, os.environ, physics)
        return IsaacChild(arguments, environ, log_file(setup.data, setup.example.task))

    def why_ended(setup: Setup, code: int) -> str:
        log = log_file(setup.data, setup.example.task)
        words = reason(log.read_text(encoding="utf-8", errors="replace"), setup.environments, code)
        if shutil.disk_usage(setup.data).free < FULL:
            # Neither the child's message nor its log may have fitted on the disk any more.
            words = "the disk is full; free some space"
        return (
            f"{NAMES[physics]} ended unexpectedly (exit code {code}): {words}. Its log is {log}; "
            "run the same command again to go on, finished episodes are kept"
        )

    threads = len(os.sched_getaffinity(0))
    return ChildPool(1, Launcher(start, why_ended, environments, threads, one_task=True))
