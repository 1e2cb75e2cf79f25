"""No task or probe is known by its name but where it is defined: what differs between them they say themselves. No
helper of tests has a name that means something to pytest."""

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

HOOKS = {
    *(f"{name}{of}" for name in ("setup", "teardown") for of in ("", "_module", "_function")),
    *(f"{name}Module" for name in ("setUp", "tearDown")),
}
"""Functions of a module that some version of pytest calls around its tests; 8.0 still does `setup` and `teardown`."""


def files() -> list[Path]:
    found = [path for root in ("cli/hpvqa", "exts") for path in sorted((ROOT / root).rglob("*.py"))]
    return [path for path in found if not any(path.is_relative_to(ROOT / own) for own in OWN)]


def named(source: str) -> Iterator[int]:
    """Lines with a string that is the name of a task or probe, or begins with it as a path or a key does."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.split("/")[0] in NAMES:
            yield node.lineno


@pytest.mark.slow
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


def of_pytest(source: str) -> Iterator[int]:
    """Lines by which a module of tests has a function that pytest itself calls around tests, for its name."""
    for node in ast.parse(source).body:
        names = [alias.asname or alias.name for alias in node.names] if isinstance(node, ast.ImportFrom) else []
        if HOOKS.intersection(names) or getattr(node, "name", None) in HOOKS:
            yield node.lineno


@pytest.mark.slow
def test_no_helper_of_tests_is_taken_by_pytest_for_its_own() -> None:
    found = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for line in of_pytest(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_functions_that_pytest_calls_are_found_however_they_come() -> None:
    source = "def setup(): pass\nfrom a import b as teardown\nfrom a import setup as c\ndef f():\n  def setup(): pass\n"
    assert list(of_pytest(source)) == [1, 2]
