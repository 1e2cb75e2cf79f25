"""What takes long to make is made once a session, for all workers: who asks first makes it, and others wait for it."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from hpvqa.tasks import TASKS

SEED = 2024
EPISODES = int(os.environ.get("HPVQA_TEST_EPISODES", "4"))
"""Of each task in :func:`moved`; a multiple of 4. `make test-all` takes 8."""
MOVED = ("push", "drop")
"""The tasks of it."""
MOVES = ("--no-video", "--seed", str(SEED), "--workers", "2")
"""How :func:`moved` is made."""
FILMED = ("--seed", "20261125", "--fps", "2", "--resolution", "224x224")
"""How :func:`filmed` is made. Nobody has seen the episodes of this seed."""
PUSHES = min(EPISODES // 2, 4)
"""How many."""


def made_by_two(episodes: int) -> tuple[str, ...]:
    """So many episodes, by two workers."""
    return "--episodes", str(episodes), "--workers", "2"


Shared = Callable[[str, Callable[[Path], object]], Path]


@pytest.fixture(scope="session")
def shared(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Shared:
    """``shared(name, make)``: a folder that ``make(folder)`` has made, once for all workers; it is only read."""
    base = tmp_path_factory.getbasetemp()
    cache = (base.parent if hasattr(request.config, "workerinput") else base) / "shared"
    cache.mkdir(exist_ok=True)

    def once(name: str, make: Callable[[Path], object]) -> Path:
        folder, draft = cache / name, cache / f"{name}.partial"
        with (cache / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not folder.is_dir():
                shutil.rmtree(draft, ignore_errors=True)
                make(draft)
                draft.rename(folder)
        return folder

    return once


def collecting(out: Path, *args: str) -> list[str]:
    """The command line of ``hpvqa collect``."""
    return [sys.executable, "-m", "hpvqa", "collect", "--out", str(out), *args]


def collect(out: Path, *args: str) -> Path:
    """Make episodes by ``hpvqa collect`` in a process of its own."""
    done = subprocess.run(collecting(out, *args), capture_output=True, text=True, timeout=1800)
    if done.returncode == 2 and "OpenGL" in done.stderr:
        pytest.skip("there is no OpenGL here")
    assert done.returncode == 0, done.stderr
    return out


@pytest.fixture(scope="session")
def moved(shared: Shared) -> Path:
    """Episodes of the paper's two tasks without video, by two workers."""
    return shared("moved", lambda out: collect(out, *MOVED, *MOVES, "--episodes", str(EPISODES)))


@pytest.fixture(scope="session")
def all_moved(moved: Path, shared: Shared) -> Callable[[str], Path]:
    """``all_moved(task)``: the same of any task."""
    others = [task for task in TASKS if task not in MOVED]

    def folder(task: str) -> Path:
        if task in MOVED:
            return moved
        return shared("others", lambda out: collect(out, *others, *MOVES, "--episodes", str(EPISODES)))

    return folder


@pytest.fixture(scope="session")
def filmed(shared: Shared) -> Path:
    """Some pushes, by two workers, as the embedded model is shown them."""
    return shared("filmed", lambda out: collect(out, "push", *FILMED, *made_by_two(PUSHES)))
