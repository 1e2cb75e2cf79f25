"""No task or probe is known by its name but where it is defined: what differs between them they say themselves."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from hpvqa.tasks import TASKS
from tests.needs import ROOT

OWN = (
    "cli/hpvqa/tasks",
    "cli/hpvqa/probes",
    # What is about the paper's own published data, which is of its two tasks.
    "cli/hpvqa/dataset/public.py",
    "cli/hpvqa/report/published.py",
    # What lists the commands, one of which is called as a task is.
    "cli/hpvqa/main.py",
)
"""Where the names may stand."""
NAMES = {name for task in TASKS.values() for name in (task.name, task.probe.name)}


def files() -> list[Path]:
    found = [path for root in ("cli/hpvqa", "exts") for path in sorted((ROOT / root).rglob("*.py"))]
    return [path for path in found if not any(path.is_relative_to(ROOT / own) for own in OWN)]


def named(source: str) -> Iterator[int]:
    """Lines with a string that is the name of a task or probe, or begins with it as a path or a key does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.split("/")[0] in NAMES:
            yield node.lineno


def test_no_task_or_probe_is_known_by_name() -> None:
    assert len(files()) > 200
    found = [f"{path.relative_to(ROOT)}:{line}" for path in files() for line in named(path.read_text(encoding="utf-8"))]
    assert found == []


@pytest.mark.parametrize("own", OWN)
def test_every_exception_is_there(own: str) -> None:
    assert (ROOT / own).exists()


def test_names_are_found_wherever_they_stand() -> None:
    source = (
        'if task == "push": pass\n"""A push."""\nKind = Literal["turn", "x"]\ndrop = 1\nf"{x}push"\nglob("drop/*")\n'
    )
    assert sorted(named(source)) == [1, 3, 5, 6]
