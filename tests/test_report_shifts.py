"""One model on usual episodes and on shifts, side by side."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import Row
from hpvqa.evaluate.compare import compare
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.shifted import compare_shifted
from hpvqa.scene.spec import Side, other_side
from tests.report_runs import make_dataset, make_prediction, make_run, truth
from tests.test_report import hpvqa, report_of, shown


@pytest.fixture(scope="module")
def usual(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("usual"), push=8)


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return make_dataset(tmp_path_factory.mktemp("dark"), push=8, shift="dark")


def often(row: Row) -> Side:
    """Wrong in one camera of a few episodes."""
    return other_side(row.answer) if row.episode < 3 and row.camera == "front_top_narrow" else row.answer


def predictions(dataset: Dataset, say: object = truth) -> list[Prediction]:
    assert callable(say)
    return [make_prediction(row, say(row)) for split in ("train", "eval") for row in dataset.rows(split)]  # type: ignore[arg-type]


def test_pairs_are_compared_as_runs_on_the_same_rows_are(usual: Dataset, dark: Dataset) -> None:
    (found,) = compare_shifted(predictions(usual), predictions(dark, often))
    assert found.paired
    assert (found.usual, found.shifted, found.n, found.episodes, found.left_out) == (1.0, 13 / 16, 16, 8, 0)
    # As if both had been one data set.
    same = compare(predictions(usual), predictions(usual, often))[0]
    assert (found.difference, found.interval, found.p) == (same.difference, same.interval, same.p)


def test_rows_without_a_partner_do_not_count(usual: Dataset, dark: Dataset) -> None:
    some = [row for row in predictions(usual) if row.episode in (1, 5)]
    (found,) = compare_shifted(some, predictions(dark, often))
    assert (found.paired, found.n, found.episodes, found.left_out) == (True, 4, 2, 12)
    assert (found.usual, found.shifted) == (1.0, 3 / 4)
    assert found.few


@pytest.mark.parametrize("changes", [{"seed": 5}, {"seed": None}, {"camera": "elsewhere"}])
def test_what_is_of_other_episodes_is_not_paired(usual: Dataset, dark: Dataset, changes: dict[str, object]) -> None:
    others = [row.model_copy(update=changes) for row in predictions(usual)]
    (found,) = compare_shifted(others, predictions(dark, often))
    (paired,) = compare_shifted(predictions(usual), predictions(dark, often))
    assert (found.paired, found.p, found.n) == (False, None, 16)
    assert found.difference == paired.difference == -3 / 16
    assert found.interval.high - found.interval.low > paired.interval.high - paired.interval.low
    assert -1 <= found.interval.low < found.difference < found.interval.high <= 1


def test_an_episode_of_another_answer_is_no_partner(usual: Dataset, dark: Dataset) -> None:
    flipped = [row.model_copy(update={"answer": other_side(row.answer)}) for row in predictions(usual)]
    (found,) = compare_shifted(flipped, predictions(dark))
    assert not found.paired


def test_a_report_shows_shifts_beside_the_usual(
    usual: Dataset, dark: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    runs = [
        make_run(tmp_path / "mine", usual, say=truth, model="m"),
        make_run(tmp_path / "mine-dark", dark, say=often, model="m"),
        make_run(tmp_path / "others-dark", dark, say=truth, model="o"),
    ]
    report = report_of(*runs)
    (pair,) = report.shifts
    assert (pair.usual, pair.shifted) == ("mine", "mine-dark")
    # Models are still compared on the same shift.
    assert [(found.a, found.b) for found in report.comparisons] == [("mine-dark", "others-dark")]
    (note,) = report.notes
    assert note.startswith("others-dark is of the shift dark, but no run of the same model on usual episodes")
    for width in (60, 80, 120):
        text = " ".join(shown(report, width).split())
        assert "On shifts" in text
        assert "0.812" in text
        assert "-0.188" in text
        assert "not paired" not in text
    assert hpvqa(*runs, "--json", "--html", tmp_path / "page.html") == 0
    data = json.loads(capsys.readouterr().out)
    assert data["shifts"][0]["results"][0]["shift"] == "dark"
    assert 'id="shifts"' in (tmp_path / "page.html").read_text()


def test_a_report_says_where_nothing_is_paired(dark: Dataset, tmp_path: Path) -> None:
    other = make_dataset(tmp_path / "other", seed=4, push=8)
    report = report_of(make_run(tmp_path / "a", other, say=truth), make_run(tmp_path / "b", dark, say=truth))
    text = " ".join(shown(report).split())
    assert " not paired " in text
    assert "Not paired: the data sets have no episode in common" in text


def test_a_report_without_shifts_does_not_speak_of_them(usual: Dataset, tmp_path: Path) -> None:
    report = report_of(make_run(tmp_path / "a", usual))
    assert report.shifts == ()
    assert "On shifts" not in shown(report)
