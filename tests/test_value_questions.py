"""Questions for values, and other words: built, answered by everyone, scored, reported, learned from."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.dataset.build import Questions, build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.dataset.rows import Row, ValueRow
from hpvqa.evaluate.conditions import parse_conditions
from hpvqa.evaluate.select import select
from hpvqa.evaluate.trials import plan
from hpvqa.finetune.rows import training_rows
from hpvqa.probes.distribution import Distribution
from hpvqa.recipe import Recipe
from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS
from hpvqa.tasks.base import FORMS
from hpvqa.vlm.baselines import Majority, value_answer
from hpvqa.vlm.prompt import load_prompt, swap_sides
from hpvqa.vlm.registry import BASELINES
from tests.eval_runs import hpvqa, lines
from tests.factories import make_data, quiet
from tests.tiny_models import TinyModel

needs_models = pytest.mark.skipif(importlib.util.find_spec("peft") is None, reason="needs transformers and peft")
SEEN = ["oracle", "frame-oracle", "pixels", "majority", "random"]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("values") / "data", push=8, drop=8)


@pytest.fixture(scope="module")
def dataset(data: Path) -> Dataset:
    out = data.with_name("dataset")
    build(data, out, quiet(), recipe=Recipe(), questions=Questions(FORMS, paraphrased=True))
    return open_dataset(out)


def test_each_clip_is_asked_about_each_thing_and_in_other_words(dataset: Dataset) -> None:
    rows = dataset.rows("train")
    clips = {row.file_name for row in rows}
    for clip in clips:
        asked = [row for row in rows if row.file_name == clip]
        own = [row for row in asked if row.wording is None]
        assert [type(row) for row in own] == [Row, ValueRow, ValueRow]
        assert {row.about for row in own if isinstance(row, ValueRow)} == set(SIDES)
        assert len(asked) == 2 * len(own)
        assert not {row.question for row in own} & {row.question for row in asked if row.wording is not None}
    assert len({row.key for row in rows}) == len(rows) == 6 * len(clips)
    assert {row.wording for row in rows if row.task == "push" and isinstance(row, Row)} >= {None, 1, 2, 3}


def test_the_true_value_is_in_the_question_s_unit(dataset: Dataset) -> None:
    for row in (*dataset.values("train"), *dataset.values("eval")):
        assert row.values is not None
        assert row.value == TASKS[row.task].asked_scale * row.values[row.about]
        assert row.answer.split()[1:] == ([row.unit] if row.unit else [])
        assert f"the {row.about} " in row.question


def test_without_a_word_a_data_set_asks_to_compare_alone(data: Path, tmp_path: Path) -> None:
    build(data, tmp_path / "plain", quiet(), recipe=Recipe())
    text = (tmp_path / "plain/train/metadata.jsonl").read_text()
    assert "about" not in text
    assert "wording" not in text
    assert open_dataset(tmp_path / "plain").true_values("train") == {}


@pytest.mark.parametrize("task", list(TASKS))
def test_every_task_has_questions_and_other_words(task: str) -> None:
    kind = TASKS[task]
    for text in (kind.question, *kind.paraphrases("compare")):
        assert swap_sides(swap_sides(text)) == text != swap_sides(text)
    for text in (kind.value_question, *kind.paraphrases("value")):
        for thing in kind.examples():
            assert thing.words in text.format(thing=thing.words)
    for form in FORMS:
        others = kind.paraphrases(form)
        assert len(others) >= 3
        assert len({*others, kind.question, kind.value_question}) == len(others) + 2


@pytest.mark.parametrize("task", list(TASKS))
def test_the_law_is_inverted_over_the_whole_range(task: str) -> None:
    """From what theory expects to be measured back to the hidden value: as close as the law's accuracy allows."""
    kind = TASKS[task]
    for thing in kind.examples():
        for hidden in np.quantile(kind.grid, (0.05, 0.25, 0.5, 0.75, 0.95)):
            measured = kind.probe.law(thing.with_hidden(kind.hidden, float(hidden)))
            belief = kind.believed(
                thing.name, Distribution(np.array([measured]), np.array([1.0])), kind.probe.accuracy / 2
            )
            answer = value_answer(kind, belief, "")
            assert answer.quantiles is not None
            assert answer.value is not None
            truth = kind.asked_scale * float(hidden)
            assert answer.quantiles[0.05] <= truth <= answer.quantiles[0.95]
            assert list(answer.quantiles.values()) == sorted(answer.quantiles.values())


@pytest.mark.parametrize("model", SEEN)
@pytest.mark.slow
def test_every_baseline_gives_values(model: str, dataset: Dataset, tmp_path: Path) -> None:
    args = ["--dataset", dataset.root, "--model", model, "--questions", "value", "--out", tmp_path]
    assert hpvqa("eval", *args) == 0
    found = lines(tmp_path)
    assert {line["about"] for line in found} == set(SIDES)
    assert all(isinstance(line["prediction"], float) for line in found)
    assert all(line["training_mean"] > 0 for line in found)
    assert ("quantiles" in found[0] and found[0]["quantiles"] is not None) == (model not in {"majority", "random"})
    if model == "majority":
        assert all(line["prediction"] == pytest.approx(line["training_mean"]) for line in found)


@pytest.mark.parametrize("model", ["left", "right"])
def test_a_word_is_no_value(model: str, dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hpvqa("eval", "--dataset", dataset.root, "--model", model, "--out", tmp_path) == 0
    assert f"{model} answers no value questions" in capsys.readouterr().err
    assert not any("about" in line for line in lines(tmp_path))
    assert json.loads((tmp_path / "run.json").read_text())["questions"] == ["compare"]


def test_all_baselines_are_tested() -> None:
    assert {*SEEN, "left", "right"} == set(BASELINES)


@pytest.mark.slow
def test_other_words_are_reported_apart(dataset: Dataset, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hpvqa("eval", "--dataset", dataset.root, "--model", "oracle", "--out", tmp_path / "run") == 0
    page = tmp_path / "page.html"
    capsys.readouterr()
    assert hpvqa("report", tmp_path / "run", "--html", page, "--json") == 0
    report = json.loads(capsys.readouterr().out)["runs"][0]
    assert report["missing"] == 0
    assert [part["condition"] for part in report["conditions"]] == ["plain", "plain, other words"]
    assert [part["condition"] for part in report["values"]] == ["plain", "plain, other words"]
    plain, other = report["conditions"]
    assert plain["rows"] == other["rows"] == 8
    # The very clips are asked about in both, so they can be compared.
    assert {change["n"] for change in other["changes"] if change["by"] == "all"} == {4}
    values = report["values"][0]
    assert {cell["by"] for cell in values["cells"]} == {"all", "thing", "camera", "pooled"}
    assert page.read_text().count("Values") >= 2
    assert hpvqa("report", tmp_path / "run") == 0
    shown = capsys.readouterr().out
    assert "Values: rank correlation and calibration" in shown


def test_a_run_goes_on_with_values(dataset: Dataset, tmp_path: Path) -> None:
    args = ["--dataset", dataset.root, "--model", "oracle", "--out", tmp_path]
    assert hpvqa("eval", *args, "--limit", "3") == 0
    begun = (tmp_path / "predictions.jsonl").read_text()
    assert hpvqa("eval", *args) == 0
    assert (tmp_path / "predictions.jsonl").read_text().startswith(begun)
    assert len(lines(tmp_path)) == len(dataset.rows("eval"))


def test_sides_are_not_exchanged_in_questions_about_one_thing(dataset: Dataset) -> None:
    items = select(dataset, "eval", load_prompt("paper"))
    trials = plan(items, parse_conditions("plain,swap,mirror,blank,multiview"))
    of = {name: [trial for trial in trials if trial.condition.name == name] for name in ("swap", "mirror", "multiview")}
    for name in ("swap", "mirror"):
        assert all(isinstance(trial.items[0].row, Row) for trial in of[name])
    # Both views of each question together: to compare, about two things, each in own and in other words.
    joined = [trial.query for trial in of["multiview"]]
    assert len({query.key for query in joined}) == len(joined)
    assert all(len(trial.items) == 2 for trial in of["multiview"] if trial.items[0].row.wording is None)


def test_values_are_learned_beside_comparisons(dataset: Dataset) -> None:
    rows = training_rows(dataset, load_prompt("paper"), validation=0.2, seed=0)
    assert any(isinstance(item.row, ValueRow) for item in rows.train)
    assert all(isinstance(item.row, Row) and item.row.wording is None for item in rows.validation)
    assert not {item.row.cluster for item in rows.train} & {item.row.cluster for item in rows.validation}


@pytest.mark.parametrize(
    ("args", "words"),
    [
        (["build", "DATA", "--out", "OUT", "--questions", "valeu"], "value"),
        (["build", "DATA", "--out", "OUT", "--questions", "value"], "compare,value"),
        (["build", "DATA", "--out", "OUT", "--questions", ","], "names nothing"),
        (["build", "--import", "DATA", "--out", "OUT", "--questions", "compare,value"], "leave out"),
        (["eval", "--dataset", "PLAIN", "--model", "oracle", "--questions", "value"], "--questions compare,value"),
    ],
)
def test_errors_say_what_to_do(
    args: list[str], words: str, data: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if "PLAIN" in args:
        build(data, tmp_path / "plain", quiet(), recipe=Recipe())
    places: dict[str, Any] = {"DATA": data, "OUT": tmp_path / "out", "PLAIN": tmp_path / "plain"}
    assert hpvqa(*(places.get(word, word) for word in args)) == 2
    said = capsys.readouterr().err
    assert words in said
    assert "Traceback" not in said


def test_a_task_without_other_words_is_noted(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(TASKS["drop"]), "paraphrases", lambda self, form: ())
    done = build(data, tmp_path / "out", quiet(), recipe=Recipe(), questions=Questions(("compare",), paraphrased=True))
    assert "The compare question of drop has no paraphrases" in done.notes


def test_a_training_split_without_values_has_none_to_give(dataset: Dataset) -> None:
    item = next(item for item in select(dataset, "eval", load_prompt("paper")) if isinstance(item.row, ValueRow))
    (answer,) = Majority({}).answer([item.query])
    assert "no such rows of push" in str(answer.error)


@needs_models
def test_a_model_says_values_aloud(dataset: Dataset, tmp_path: Path, tiny_model: TinyModel) -> None:
    args = ["--dataset", dataset.root, "--model", tiny_model("qwen3_vl"), "--device", "cpu", "--dtype", "float32"]
    args += ["--resolution", "64x64", "--fps", "10", "--task", "push", "--max-new-tokens", "4", "--out", tmp_path]
    assert hpvqa("eval", *args) == 0
    found = lines(tmp_path)
    assert {bool(line.get("about")) for line in found} == {True, False}
    assert all(line["answer_tokens"] >= 1 for line in found if line.get("about"))
    assert all(line["logprobs"] for line in found if not line.get("about"))
    assert json.loads((tmp_path / "run.json").read_text())["details"]["max_new_tokens"] == 4
