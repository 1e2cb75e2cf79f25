"""Runs the checks against the real Isaac Lab sources in processes of their own: the slowest file in one, a quick one
in another, all others in a third, since to import Isaac Lab takes longer than most of them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.patience import PATIENCE

pytestmark = [pytest.mark.models, pytest.mark.simulation]  # Isaac Lab's sources need PyTorch

HERE = Path(__file__).parent / "contract"
FILES = sorted(path.name for path in HERE.glob("check_*.py"))
SLOW, QUICK = "check_simulator.py", "check_stage.py"


# In make test, test_names.py and test_names_3.py hold what we take from Isaac Lab against its sources.
@pytest.mark.long
@pytest.mark.parametrize(
    "names",
    [[QUICK], [SLOW], [name for name in FILES if name not in (QUICK, SLOW)]],
    ids=["stage", "simulator", "others"],
)
def test_with_the_real_isaac_lab(names: list[str]) -> None:
    plugins = ["-p", "no:cacheprovider", "-p", "no:xdist", "-p", "tests.isaac.contract.kit"]
    command = [sys.executable, "-m", "pytest", "-q", *plugins, *(str(HERE / name) for name in names)]
    environ = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST_")}
    environ["OMP_NUM_THREADS"] = "1"
    done = subprocess.run(command, cwd=HERE.parents[2], capture_output=True, text=True, env=environ, timeout=PATIENCE)
    assert done.returncode == 0, done.stdout + done.stderr


def test_all_files_are_found() -> None:
    assert len(FILES) >= 5
    assert {SLOW, QUICK} < set(FILES)
