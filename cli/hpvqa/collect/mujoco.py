"""Collecting with the embedded simulator: children that make one episode at a time."""

from __future__ import annotations

import os

from hpvqa.collect.messages import Setup
from hpvqa.collect.pool import ChildPool, Launcher
from hpvqa.collect.process import ChildProcess
from hpvqa.processes import ONE_THREAD, SAFE_PATH, python

COMMAND = python("-m", "hpvqa.collect.child")
# Parallelism comes from the workers: software rendering and linear algebra would otherwise take all cores in each.
_ENVIRONMENT = {**SAFE_PATH, **ONE_THREAD}


def mujoco_pool(workers: int) -> ChildPool:
    """A pool of so many workers that the embedded simulator runs in."""
    return ChildPool(workers, Launcher(_start, _why_ended))


def _start(address: str, setup: Setup) -> ChildProcess:
    return ChildProcess([*COMMAND, address], {**os.environ, **_ENVIRONMENT})


def _why_ended(setup: Setup, code: int) -> str:
    # Killed, it cannot have said anything; otherwise it has.
    why = ", most likely because memory ran out" if code < 0 else f" (exit code {code})"
    return (
        f"A worker ended unexpectedly{why}; run the same command again with fewer --workers, finished episodes are kept"
    )
