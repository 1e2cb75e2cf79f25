"""Baselines say what they should, and see no more than they should."""

from __future__ import annotations

import dataclasses
import json
import pickle
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.importing import import_public
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import UsageError
from hpvqa.evaluate.select import Item, select
from hpvqa.recipe import Recipe
from hpvqa.vlm.baselines import Majority, Oracle, Random
from hpvqa.vlm.prompt import load_prompt
from hpvqa.vlm.protocol import Query
from hpvqa.vlm.registry import BASELINES, open_baseline
from tests.factories import copy, make_data, make_original, quiet

PROMPT = load_prompt("paper")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("baselines")
    build(make_data(folder / "data", push=8, drop=8), folder / "dataset", quiet(), recipe=Recipe())
    return open_dataset(folder / "dataset")


def queries(items: list[Item]) -> list[Query]:
    return [item.query for item in items]


def test_a_query_holds_no_label(dataset: Dataset) -> None:
    item = select(dataset, "eval", PROMPT)[0]
    fields = {field.name for field in dataclasses.fields(item.query)}
    assert fields.isdisjoint({"row", "answer", "values", "gap", "first"})
    texts = [str(value) for value in dataclasses.asdict(item.query).values()]
    assert item.row.values is not None
    assert not any(str(value) in text for value in item.row.values.values() for text in texts)


@pytest.mark.parametrize("name", sorted(BASELINES.keys() - {"pixels"}))
def test_every_baseline_answers_every_row_and_can_be_sent_to_a_worker(dataset: Dataset, name: str) -> None:
    items = select(dataset, "all", PROMPT)
    answerer = open_baseline(name, dataset, seed=1)
    answers = answerer.answer(queries(items))
    assert len(answers) == len(items) == 32
    assert {answer.choice for answer in answers} <= {"left", "right"}
    assert {answer.error for answer in answers} == {None}
    there = pickle.loads(pickle.dumps(answerer)).answer(queries(items))  # noqa: S301
    assert [answer.choice for answer in there] == [answer.choice for answer in answers]


@pytest.mark.parametrize("side", ["left", "right"])
def test_constants(dataset: Dataset, side: str) -> None:
    answers = open_baseline(side, dataset, seed=1).answer(queries(select(dataset, "eval", PROMPT)))
    assert {answer.choice for answer in answers} == {side}


def test_random_is_fair_seeded_and_blind_to_the_order_of_rows(dataset: Dataset) -> None:
    query = select(dataset, "eval", PROMPT)[0].query
    many = [dataclasses.replace(query, key=f"row {number}") for number in range(2000)]
    choices = [answer.choice for answer in Random(5).answer(many)]
    assert [answer.choice for answer in Random(5).answer(many[::-1])] == choices[::-1]
    assert [answer.choice for answer in Random(6).answer(many)] != choices
    assert 900 < choices.count("left") < 1100


def test_majority_counts_each_task_of_the_training_split(dataset: Dataset) -> None:
    answerer = Majority({"push": {"left": 1, "right": 2}, "drop": {"left": 2, "right": 1}})
    items = select(dataset, "eval", PROMPT)
    for item, answer in zip(items, answerer.answer(queries(items)), strict=True):
        assert answer.choice == ("right" if item.row.task == "push" else "left")


def test_majority_sees_only_the_training_split(tmp_path: Path) -> None:
    make_original(tmp_path / "original" / "push_train", "push", {0: "Right.", 1: "Right.", 2: "Left."})
    make_original(tmp_path / "original" / "push_test", "push", dict.fromkeys(range(9), "Left."))
    import_public(tmp_path / "original", tmp_path / "dataset", quiet(), seed=0)
    dataset = open_dataset(tmp_path / "dataset")
    answers = Majority.of(dataset).answer(queries(select(dataset, "eval", PROMPT)))
    assert {answer.choice for answer in answers} == {"right"}


def test_majority_without_training_rows(tmp_path: Path) -> None:
    import_public(make_original(tmp_path / "push_test", "push", {0: "Left."}), tmp_path / "dataset", quiet(), seed=0)
    dataset = open_dataset(tmp_path / "dataset")
    answer = Majority.of(dataset).answer(queries(select(dataset, "eval", PROMPT)))[0]
    assert answer.choice is None
    assert "training split has no such rows of push" in str(answer.error)


def test_oracle_is_right(dataset: Dataset) -> None:
    items = select(dataset, "all", PROMPT)
    answers = Oracle().answer(queries(items))
    assert [answer.choice for answer in answers] == [item.row.answer for item in items]
    assert answers[0].text.startswith("displacement left 0.")


def test_oracle_looks_at_physics_and_not_at_the_label(dataset: Dataset, tmp_path: Path) -> None:
    root = copy(dataset.root, tmp_path / "dataset")
    for path in root.rglob("episode.json"):
        record = json.loads(path.read_text())
        left, right = record["spec"]["things"]
        for name in ("mass", "restitution"):
            left[name], right[name] = right[name], left[name]
        path.write_text(json.dumps(record))
    items = select(open_dataset(root), "all", PROMPT)
    answers = Oracle().answer(queries(items))
    assert [answer.choice for answer in answers] == [item.row.answer for item in items]


def test_oracle_needs_a_recording(tmp_path: Path) -> None:
    import_public(make_original(tmp_path / "push_test", "push", {0: "Left."}), tmp_path / "dataset", quiet(), seed=0)
    answer = Oracle().answer(queries(select(open_dataset(tmp_path / "dataset"), "eval", PROMPT)))[0]
    assert answer.choice is None
    assert "is not an episode" in str(answer.error)


def test_unknown_names(dataset: Dataset) -> None:
    with pytest.raises(UsageError, match="did you mean 'oracle'"):
        open_baseline("orakle", dataset, 0)
