"""The tables of docs/results.md: what stands in them is what the runs hold, and the page around them stays."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from benchmarks.results.steps import LOOKS, RANDOM, SEEDS, trials
from benchmarks.results.tables import BEGIN, Results

from research.page import END, write
from tests.report_runs import left, make_dataset, make_run, truth

CONDITIONS = ("plain", "swap", "blank")


@pytest.fixture(scope="module")
def runs(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("results")
    datasets = {task: make_dataset(folder / task, **{task: 8}) for task in ("push", "drop")}
    for task, dataset in datasets.items():
        make_run(folder / "runs" / f"{task}-base", dataset, say=left, conditions=CONDITIONS)
    for trial in trials():
        say = left if trial.shuffled or trial.base == RANDOM or trial.look == "dense" else truth
        for name, task in trial.runs.items():
            conditions = tuple(trial.conditions.split(","))
            make_run(folder / "runs" / name, datasets[task], say=say, conditions=conditions, adapter=trial.name)
    for look in LOOKS:
        make_run(folder / "runs" / f"oracle-{look}", datasets["drop"], say=truth, model="frame-oracle")
    return folder / "runs"


@pytest.fixture
def scores(tmp_path: Path) -> Path:
    path = tmp_path / "scores.json"
    entry = {"task": "push", "question": "push-first", "right": 0.875, "interval": {"low": 0.5, "high": 0.99}}
    path.write_text(json.dumps([{**entry, "clips": 16, "episodes": 8}]))
    return path


def test_trials_are_three_seeds_of_each_and_both_controls() -> None:
    names = [trial.name for trial in trials()]
    assert len(set(names)) == len(names)
    for seed in SEEDS:
        assert {f"push-{seed}", *(f"drop-{look}-{seed}" for look in (*LOOKS, "large"))} <= set(names)
    assert {f"{task}-{kind}" for task in ("push", "drop") for kind in ("random-base", "shuffled")} <= set(names)


@pytest.mark.slow
def test_tables_hold_what_the_runs_hold(runs: Path, scores: Path) -> None:
    lines = Results(runs).text(scores).splitlines()

    def row(name: str, cell: str = "") -> str:
        return next(line for line in lines if line.startswith(f"| {name} | {cell}"))

    assert "8/16" in row("`push-base`", "8/16 = 0.500")
    # One answer an episode, and the other conditions.
    assert row("`push-42`", "16/16 = 1.000").split(" | ")[2].startswith("8/8 = 1.000")
    assert row("`push-42`", "16/16").endswith("| 16/16 | 16/16 |")
    assert row("`push-base`", "8/8 = 1.000").split(" | ")[2].startswith("0/8 = 0.000")
    assert row("`drop-shuffled`").count("8/16") == 3
    assert row("dense, 8 a second").count("8/16 = 0.500") == len(SEEDS)
    assert row("motion").count("16/16 = 1.000") == len(SEEDS) + 1
    (large,) = (line for line in lines if "1,500 episodes" in line)
    assert large.count("16/16 = 1.000") == len(SEEDS) + 1
    assert len([part for part in row("`both-drop`").split("|") if "16/16" in part]) == 5
    assert "-0.500" in row("dense - uniform")
    assert "+0.000" in row("motion - uniform")
    assert "0.875 (0.500–0.990)" in row("push: push-first")


def test_only_what_is_between_the_marks_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    write(page, BEGIN, "new")
    assert page.read_text() == f"before\n{BEGIN}\n\nnew\n\n{END}\nafter\n"
    page.write_text("no marks")
    with pytest.raises(ValueError, match="lacks the line"):
        write(page, BEGIN, "new")
