import gc
import os
import signal
from pathlib import Path

import pytest
from hypothesis import settings
from hypothesis.internal.conjecture import engine

from tests.needs import (
    pytest_collection_modifyitems,
    pytest_ignore_collect,
    pytest_pycollect_makemodule,
    pytest_xdist_make_scheduler,
)
from tests.shared import all_moved, filmed, moved, shared
from tests.tiny_models import tiny_model

__all__ = [
    "all_moved",
    "filmed",
    "moved",
    "pytest_collection_modifyitems",
    "pytest_ignore_collect",
    "pytest_pycollect_makemodule",
    "pytest_xdist_make_scheduler",
    "shared",
    "tiny_model",
]

# Before torch is imported, here and in child processes: on busy cores, threads that wait for each other make tiny
# models many times slower.
os.environ.setdefault("OMP_NUM_THREADS", "1")

# The same examples every time, here and in CI, so that a test that was green stays so: a few of them in `make test`, as
# many as Hypothesis means to in `make test-all`. `make test-random` draws others, and more of them. Machines that run
# tests are shared: how long one example takes says nothing.
settings.register_profile("same", deadline=None, derandomize=True, database=None, max_examples=25)
settings.register_profile("all", deadline=None, derandomize=True, database=None)
settings.register_profile("random", deadline=None, max_examples=1000, database=None)
settings.load_profile("same")
# A failing example is made smaller for this long [s] at most; Hypothesis takes five minutes and has no setting for it.
assert hasattr(engine, "MAX_SHRINKING_SECONDS")
engine.MAX_SHRINKING_SECONDS = 20

# A shell starts background jobs with Ctrl-C ignored, and children inherit that; tests interrupt theirs.
signal.signal(signal.SIGINT, signal.default_int_handler)

# What was collected stays to the end: to look through thousands of tests for garbage took a sixth of the time.
gc.set_threshold(20_000, 20, 50)


def pytest_collection_finish() -> None:
    gc.freeze()


@pytest.fixture
def tmp_path(tmp_path: Path) -> Path:
    """A folder with nothing beside it: commands suggest what they find there, and other tests leave theirs."""
    alone = tmp_path / "alone"
    alone.mkdir()
    return alone
