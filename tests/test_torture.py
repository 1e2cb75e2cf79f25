"""A small, seeded part of what ``make torture`` tries."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from tests.needs import long_but
from tests.torture.crash import draw, torture
from tests.torture.formats import FORMATS
from tests.torture.fuzz import fuzz
from tests.torture.mutate import damaged
from tests.torture.race import race
from tests.torture.scenarios import SCENARIOS, Scenario, snapshot
from tests.torture.trace import FAULTS, Ended, has_strace

pytestmark = pytest.mark.slow

QUICK = {scenario.name: scenario for scenario in SCENARIOS if not scenario.slow}


@pytest.mark.skipif(not has_strace(), reason="needs strace, and the permission to trace")
@pytest.mark.parametrize(
    "name", long_but(["build", "eval, a baseline", "show", "pull", "assets", "suite compare"], "suite compare")
)
def test_a_command_that_broke_off_goes_on(name: str, tmp_path: Path) -> None:
    if name == "pull":
        pytest.importorskip("huggingface_hub", reason="needs the extra hub")
    verdicts = list(torture(QUICK[name], FAULTS, 1, 1, tmp_path / "crash", print))
    assert [verdict.fault for verdict in verdicts if verdict.struck] == list(FAULTS)
    assert [verdict for verdict in verdicts if verdict.problem] == []


@pytest.mark.parametrize("name", long_but(["build", "eval, a baseline"]))
def test_two_at_once_in_one_folder(name: str, tmp_path: Path) -> None:
    assert [verdict for verdict in race(QUICK[name], 1, tmp_path / "race") if verdict.problem] == []


@pytest.mark.long
def test_damaged_files_are_refused_in_a_sentence(tmp_path: Path) -> None:
    pytest.importorskip("torch", reason="needs the extra vlm")
    found = fuzz([], 60, 5, tmp_path / "formats")
    assert {kind.format for kind in found} == {kind.name for kind in FORMATS}
    assert {kind.format: kind.problems for kind in found if kind.problems} == {}
    # Damage that nobody noticed would test nothing.
    assert all(kind.refused > 0 for kind in found)


@pytest.mark.skipif(not has_strace(), reason="needs strace, and the permission to trace")
def test_what_does_not_hold_is_found(tmp_path: Path) -> None:
    """A command that leaves less than the undisturbed one, and says nothing, is reported."""
    careless = Scenario("careless", lambda folder: None, ("schema", "recipe"), ".")
    kills = list(torture(careless, ("KILL",), 1, 0, tmp_path / "crash", print))
    assert [verdict.problem for verdict in kills] == [""]
    loose = Scenario("loose", lambda folder: None, ("tiny", "no-such-kind", "out"), "out")
    with pytest.raises(RuntimeError, match="fails undisturbed"):
        list(torture(loose, ("KILL",), 1, 0, tmp_path / "other", print))


@pytest.mark.parametrize("name", ["x.json", "x.jsonl"])
def test_what_a_killed_process_left_half_written_is_unlike_what_is_whole(name: str, tmp_path: Path) -> None:
    found = set()
    for text in ("", '{"seconds": 1, "a"', '{"seconds": 1, "a": 2}', '{"a": 2}\n', "[1]"):
        (tmp_path / name).write_text(text)
        found.add(snapshot(tmp_path)[name])
    assert len(found) == 4


def test_only_tracebacks_of_multiprocessing_alone_are_passed_over() -> None:
    line = '  File "{}", line 1, in f\n    f()\n'
    tracker = "/lib/python3.11/multiprocessing/resource_tracker.py"
    for files, ours in (((tracker,), False), (("<string>", tracker), False), ((tracker, "/hpvqa/files.py"), True)):
        text = "".join(map(line.format, files))
        assert Ended(0, f"1/4\nTraceback (most recent call last):\n{text}KeyError: 1\n").traceback is ours
    assert Ended(1, "Traceback (most recent call last):\nKeyError").traceback
    assert not Ended(1, "Error: a sentence").traceback


def test_draws_and_damage_follow_from_the_seed() -> None:
    assert draw(100, 5, 3) == draw(100, 5, 3)
    assert draw(3, 10, 0) == [1, 2, 3]
    data = b'{"a": [1, 2, {"b": "c"}]}'
    once = [damaged(data, np.random.default_rng((7, n))) for n in range(200)]
    assert once == [damaged(data, np.random.default_rng((7, n))) for n in range(200)]
    assert sum(damage != data for damage in once) > 190
