"""What `make test` leaves out has others that stand for it there, and `make test-all` runs it."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from tests.needs import FIRST, ROOT, long_but

WHOLE = {
    "test_explore_engines.py": "test_backend_vllm.py",
    "test_explore_kills.py": "test_explore_runs.py",
    "test_openai_server.py": "test_openai_scoring.py",
    "test_sizes.py": "test_fitting.py",
}
"""Files all of whose tests need one thing that takes long, and those that stand for them in `make test`."""
FILES = sorted(path for path in (ROOT / "tests").rglob("test_*.py") if path != Path(__file__))


def test_one_or_some_of_the_parameters_stand_for_all() -> None:
    long = pytest.param("b", marks=pytest.mark.long)
    assert long_but("ab") == ["a", long]
    assert long_but({"a": 1, "b": 2, "c": 3}, "c", "a") == ["a", long, "c"]
    with pytest.raises(AssertionError, match="d"):
        long_but("abc", "d")


def test_only_single_tests_are_long_or_whole_files_that_others_stand_for() -> None:
    for path in FILES:
        text = path.read_text(encoding="utf-8")
        if "mark.long" not in text:
            continue
        if path.name in WHOLE:
            assert "\npytestmark = " in text, path.name
            assert "pytestmark" not in path.with_name(WHOLE[path.name]).read_text(encoding="utf-8")
            continue
        tests = [node for node in ast.parse(text).body if isinstance(node, ast.FunctionDef) and "test_" in node.name]
        long = [test for test in tests if "pytest.mark.long" in map(ast.unparse, test.decorator_list)]
        # By no other way, such as for the whole file.
        assert text.count("mark.long") == len(long) + text.count("marks=pytest.mark.long"), path.name
        assert len(long) < len(tests), path.name


def test_nothing_else_is_left_out_of_make_test_and_nothing_of_test_all() -> None:
    recipes = dict(
        re.findall(r"^([a-z-]+):[^\n]*\n((?:\t.*\n)+)", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    )
    assert re.findall(r"-m ('.*?'|\S+)", recipes["test"]) == ["'not long'"]
    assert re.findall(r"-m ", recipes["test-all"]) == []
    assert "--hypothesis-profile all " in recipes["test-all"]
    assert "make test-all\n" in (ROOT / ".ci" / "run").read_text(encoding="utf-8")


def test_the_files_that_come_first_are_there() -> None:
    assert [name for name in FIRST if not (ROOT / name).is_file()] == []
