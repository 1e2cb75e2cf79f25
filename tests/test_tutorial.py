"""Every command of the tutorial, in the order of the tutorial, from an empty folder."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
SMALLER = {"--episodes 60": "--episodes 8", "finetune ": "finetune --max-steps 2 --set training.checks=1 "}
"""What is changed so that a test can afford it; each occurs."""


def commands() -> list[str]:
    """The command lines of the tutorial."""
    text = TUTORIAL.read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


@pytest.mark.models
@pytest.mark.simulation
def test_every_command_of_the_tutorial_runs(tmp_path: Path) -> None:
    lines = commands()
    assert len(lines) >= 10
    assert all(any(long in line for line in lines) for long in SMALLER)
    for line in lines:
        shorter = line
        for long, short in SMALLER.items():
            shorter = shorter.replace(long, short)
        program, *args = shlex.split(shorter)
        assert program == "hpvqa"
        done = subprocess.run(
            [sys.executable, "-m", "hpvqa", *args],
            cwd=tmp_path,
            env={**os.environ, "OMP_NUM_THREADS": "1"},
            capture_output=True,
            text=True,
            timeout=600,
        )
        assert done.returncode == 0, f"{shorter}\n{done.stdout}\n{done.stderr}"
    assert (tmp_path / "report.html").stat().st_size > 10_000
