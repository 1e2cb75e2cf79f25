"""Every command of the tutorial, in the order of the tutorial; some of its episodes are there already."""

from __future__ import annotations

import os
import re
import shlex
import shutil
from pathlib import Path

import pytest

from hpvqa.main import main

TUTORIAL = Path(__file__).parents[1] / "docs" / "tutorial.md"
SMALLER = {
    "--episodes 60": "--episodes 6 --seed 20261125",
    "finetune ": "finetune --max-steps 2 --set training.checks=1 --workers 0 ",
}
"""What is changed so that a test can afford it; each occurs."""


def commands() -> list[str]:
    """The command lines of the tutorial."""
    text = TUTORIAL.read_text(encoding="utf-8")
    blocks = re.findall(r"```console\n(.*?)```", text, flags=re.DOTALL)
    return [line.removeprefix("$ ") for block in blocks for line in block.splitlines() if line.startswith("$ ")]


def test_what_is_changed_occurs() -> None:
    lines = commands()
    assert len(lines) >= 10
    assert all(any(long in line for line in lines) for long in SMALLER)


@pytest.mark.long
@pytest.mark.models
def test_every_command_of_the_tutorial_runs(filmed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    # Some episodes are there already, for other tests need them too.
    shutil.copytree(filmed, tmp_path / "data", copy_function=os.link)
    monkeypatch.chdir(tmp_path)
    for line in commands():
        shorter = line
        for long, short in SMALLER.items():
            shorter = shorter.replace(long, short)
        program, *args = shlex.split(shorter)
        assert program == "hpvqa"
        with pytest.raises(SystemExit) as stop:
            main(args)
        assert not stop.value.code, shorter
    assert (tmp_path / "report.html").stat().st_size > 10_000
