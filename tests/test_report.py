"""`hpvqa report`: the paper's figures, how sure they are, and what cannot be compared."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from hpvqa.commands.report_table import print_report
from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import Row
from hpvqa.main import main
from hpvqa.report.measure import Report, measure
from hpvqa.report.reading import read_runs
from hpvqa.scene.spec import Side, other_side
from tests.report_runs import append, make_dataset, make_internvl, make_prediction, make_run, public_line, truth


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("report"), push=8, drop=8)


@pytest.fixture(scope="module")
def published(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return make_internvl(tmp_path_factory.mktemp("published"))


def hpvqa(*args: object) -> int:
    with pytest.raises(SystemExit) as exit_:
        main(["report", *map(str, args)])
    return int(exit_.value.code or 0)


def report_of(*paths: Path) -> Report:
    return measure(read_runs(paths), command=("hpvqa",), created="now")


def shown(report: Report, width: int = 80) -> str:
    console = Console(width=width, record=True, file=open("/dev/null", "w"))  # noqa: SIM115, PTH123
    print_report(report, console)
    return console.export_text()


def test_the_figures_of_the_paper(published: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert hpvqa(*published, "--json") == 0
    (run,) = json.loads(capsys.readouterr().out)["runs"]
    (plain,) = run["conditions"]
    cells = {(cell["task"], cell["by"], cell["value"]): cell for cell in plain["cells"]}
    expected = {
        ("push", "all", "all"): (115, 217, 31),
        ("drop", "all", "all"): (106, 175, 25),
        ("push", "side", "left"): (112, 112, 16),
        ("push", "side", "right"): (3, 105, 15),
        ("drop", "side", "left"): (102, 105, 15),
        ("drop", "side", "right"): (4, 70, 10),
    }
    assert {key: (cells[key]["correct"], cells[key]["n"], cells[key]["episodes"]) for key in expected} == expected
    for cell in plain["cells"]:
        assert type(cell["correct"]) is type(cell["n"]) is int
    assert cells["drop", "all", "all"]["majority_accuracy"] == pytest.approx(0.6)
    # Views of an episode are not independent: 112 of 112 are 16 of 16 episodes, which leaves much room.
    assert cells["push", "side", "left"]["interval"]["low"] < 0.85
    assert cells["push", "all", "all"]["effective_n"] < 60


def test_the_tables_of_the_paper(published: list[Path], capsys: pytest.CaptureFixture[str]) -> None:
    assert hpvqa(*published) == 0
    text = capsys.readouterr().out
    for words in ("0.5300", "115/217", "0.6057", "106/175", "1.0000", "0.0286", "0.9714", "0.0571", "0.6000"):
        assert words in text
    assert text.index("push") < text.index("drop")


@pytest.mark.slow
def test_tables_fit_a_terminal_whatever_runs_are_called(dataset: Dataset, tmp_path: Path) -> None:
    conditions = ("plain", "swap", "mirror", "blank", "shuffle", "single", "multiview")
    runs = [
        make_run(tmp_path / f"a-run-with-a-very-long-name-{number}-of-a-model-on-a-data-set", dataset, **options)
        for number, options in enumerate(
            ({"conditions": conditions}, {"say": truth, "adapter": "x", "privileged": True, "resampling": "unknown"})
        )
    ]
    text = shown(report_of(*runs), width=200)
    headings = [line for line in text.splitlines() if " · " in line or " − " in line]
    assert all(len(line.rstrip()) <= 80 for line in text.splitlines() if line not in headings)
    assert max(len(line.rstrip()) for line in shown(report_of(*runs)).splitlines()) <= 80
    assert "…" not in text
    assert "privileged" in text
    assert "resampling unknown" in text.replace("\n", " ")


@pytest.mark.parametrize("width", [30, 40, 60, 72, 80])
@pytest.mark.parametrize("name", ["a", "n" * 75])
@pytest.mark.slow
def test_numbers_are_not_broken_on_a_terminal_of_any_width(
    dataset: Dataset, tmp_path: Path, width: int, name: str
) -> None:
    report = report_of(make_run(tmp_path / name, dataset, conditions=("plain", "swap")))
    lines = shown(report, width).splitlines()
    assert max(len(line.rstrip()) for line in lines) <= width
    words = " ".join(lines).split()
    cell = report.runs[0].main.cell("push")
    assert cell is not None
    assert cell.interval is not None
    for number in ("0.5000", "8/16", f"{cell.interval.low:.3f}–{cell.interval.high:.3f}"):
        assert number in words
    assert width < 75 or any(line.strip() == name or line.startswith(f"{name} ") for line in lines)
    # Letters that stand one below the other are words of one letter.
    assert sum(len(line.strip()) == 1 for line in lines) <= sum(line.strip() == name for line in lines)


def test_marks_are_not_broken(dataset: Dataset, tmp_path: Path) -> None:
    run = make_run(tmp_path / "a", dataset, privileged=True, resampling="unknown")
    lines = [line.strip() for line in shown(report_of(run)).splitlines()]
    assert {"privileged", "resampling"} <= set(lines)


def test_pre_trained_beside_fine_tuned(dataset: Dataset, tmp_path: Path) -> None:
    tuned = make_run(tmp_path / "tuned", dataset, say=truth, adapter="adapters/x")
    base = make_run(tmp_path / "base", dataset)
    other = make_run(tmp_path / "other", dataset, model="another")
    report = report_of(tuned, base, other)
    assert {(pair.a, pair.b): pair.tuned for pair in report.comparisons} == {
        ("base", "tuned"): True,
        ("tuned", "other"): False,
        ("base", "other"): False,
    }
    lines = [line for line in shown(report).splitlines() if line.startswith("model ") and "0.5000 8/16" in line]
    assert len(lines) == 2
    assert all(line.index("0.5000 8/16") < line.index("1.0000 16/16") for line in lines)
    assert "Pre-trained → fine-tuned" not in shown(report_of(base, other))


def test_a_model_of_two_names_is_one_model(dataset: Dataset, tmp_path: Path) -> None:
    names = {"base": ("m-base", None), "tuned": ("m", "m"), "other": ("m-base", None)}
    runs = [
        make_run(
            tmp_path / name, dataset, model=model,
            details={"fingerprint": "b" if name == "other" else "a", "adapter": adapter},
        )
        for name, (model, adapter) in names.items()
    ]  # fmt: skip
    report = report_of(*runs)
    assert [(pair.a, pair.b) for pair in report.comparisons if pair.tuned] == [("base", "tuned")]


def test_runs_of_different_data_sets_stand_side_by_side(dataset: Dataset, tmp_path: Path) -> None:
    other = make_dataset(tmp_path / "other", push=2)
    runs = [make_run(tmp_path / "a", dataset), make_run(tmp_path / "b", other)]
    report = report_of(*runs)
    assert report.comparisons == ()
    assert "a and b are about different data sets, so they are not compared." in " ".join(shown(report).split())


def test_runs_without_a_row_in_common_are_not_compared(dataset: Dataset, tmp_path: Path) -> None:
    runs = [make_run(tmp_path / name, dataset) for name in ("push-only", "drop-only")]
    for run in runs:
        task = run.name[:4]
        file = run / "predictions.jsonl"
        lines = file.read_text().splitlines(keepends=True)
        file.write_text("".join(line for line in lines if f'"task":"{task}"' in line))
    report = report_of(*runs)
    assert report.comparisons == ()
    assert "no row in common" in report.notes[0]


def test_failed_and_invalid_rows_are_counted(dataset: Dataset, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", dataset, say=truth)
    rows = dataset.rows("eval")
    append(run, make_prediction(rows[0], None, error="broken"), make_prediction(rows[1], None))
    main_condition = report_of(run).runs[0].main
    assert (main_condition.rows, main_condition.failed, main_condition.invalid) == (32, 1, 1)
    cell = main_condition.cell(None)
    assert cell is not None
    assert (cell.correct, cell.n) == (30, 31)


def test_conditions(dataset: Dataset, tmp_path: Path) -> None:
    run = make_run(tmp_path / "run", dataset, say=truth, conditions=("plain", "swap", "mirror", "single"))
    report = report_of(run)
    found = {condition.condition: condition for condition in report.runs[0].conditions}
    assert list(found) == ["plain", "swap", "mirror", "single"]
    mirrored = found["mirror"].cell("push")
    assert mirrored is not None
    assert (mirrored.correct, mirrored.n) == (0, 16)
    text = " ".join(shown(report).split())
    assert "mass can be read off the last frame" in text
    assert "same side in both orders" in text
    assert "mass can be read off" not in shown(report_of(make_run(tmp_path / "plain", dataset)))


def test_views_that_a_model_was_not_trained_on_do_not_count(dataset: Dataset, tmp_path: Path) -> None:
    views = {"push": ("front_top_narrow", "back_top_narrow"), "drop": ("front_wide",)}

    def say(row: Row) -> Side:
        return row.answer if row.camera in views[row.task] else other_side(row.answer)

    run = make_run(tmp_path / "run", dataset, say=say, conditions=("plain", "swap"), views=views)
    report = report_of(run, make_run(tmp_path / "all", dataset, say=say))
    (part, *_, apart) = report.runs[0].conditions
    assert [found.condition for found in report.runs[0].conditions] == [
        "plain",
        "swap",
        "plain, untrained views",
        "swap, untrained views",
    ]
    whole, other = part.cell("drop"), apart.cell("drop")
    assert whole is not None
    assert other is not None
    assert (whole.correct, whole.n, other.correct, other.n) == (8, 8, 0, 8)
    assert report.runs[0].missing == 0
    # Runs are compared on the rows that count in both.
    (pair,) = report.comparisons
    assert {(found.task, found.n) for found in pair.results if found.by == "all"} == {("push", 16), ("drop", 8)}
    text = " ".join(shown(report).split())
    assert "trained on drop by one of two cameras (front_wide); all other views are scored separately" in text
    assert "plain, untrained views" in text


def test_a_run_of_nothing_but_views_that_were_not_trained_on_is_marked(dataset: Dataset, tmp_path: Path) -> None:
    report = report_of(make_run(tmp_path / "run", dataset, views={"push": ("side",)}))
    assert report.runs[0].marks == ("untrained views",)
    assert [found.condition for found in report.runs[0].conditions] == ["plain, untrained views"]


def test_csv_has_a_line_a_cell(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "run", dataset, conditions=("plain", "swap"), privileged=True)
    assert hpvqa(run, "--csv", tmp_path / "cells.csv", "--json") == 0
    (shown_run,) = json.loads(capsys.readouterr().out)["runs"]
    with (tmp_path / "cells.csv").open(newline="") as file:
        lines: list[dict[str, Any]] = list(csv.DictReader(file))
    wanted = [
        (condition["condition"], cell["task"] or "", cell["by"], cell["value"], str(cell["correct"]), str(cell["n"]))
        for condition in shown_run["conditions"]
        for cell in condition["cells"]
    ]
    keys = ("condition", "task", "by", "value", "correct", "n")
    assert [tuple(line[key] for key in keys) for line in lines] == wanted
    assert {line["marks"] for line in lines} == {"privileged"}
    assert float(lines[0]["low"]) < float(lines[0]["accuracy"]) < float(lines[0]["high"])


def test_the_same_report_twice(published: list[Path]) -> None:
    assert report_of(*published) == report_of(*published)


def test_html_and_command(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run = make_run(tmp_path / "run", dataset)
    assert hpvqa(run, "--html", tmp_path / "out.html") == 0
    assert f"Written: {tmp_path / 'out.html'}" in capsys.readouterr().out
    assert (tmp_path / "out.html").read_text().startswith("<!DOCTYPE html>")


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["{run}", "--html", "{tmp}/no/out.html"], "does not exist; make it"),
        (["{run}", "--csv", "{tmp}/no/out.csv"], "does not exist; make it"),
        (["{tmp}"], "is not a run"),
        (["{tmp}/nothing"], "does not exist"),
        (["{tmp}/words.txt"], "is not a JSON object"),
    ],
)
def test_errors(
    dataset: Dataset, tmp_path: Path, args: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run = make_run(tmp_path / "run", dataset)
    (tmp_path / "words.txt").write_text("hello\n")
    assert hpvqa(*(arg.format(run=run, tmp=tmp_path) for arg in args)) == 2
    error = capsys.readouterr().err
    assert error.startswith("Error: ")
    assert message in error


def test_a_single_row(tmp_path: Path) -> None:
    file = tmp_path / "model_push.jsonl"
    file.write_text(public_line("push", "l", 0, "a", "Left.", "left"))
    assert "1/1" in shown(report_of(file))
    file.write_text(public_line("push", "l", 0, "a", "Left.", "who knows"))
    assert "0/1" in shown(report_of(file))
