"""What is trained on: by episode, both answers, never the evaluation split."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import UsageError
from hpvqa.finetune.rows import TrainingRows, training_rows
from hpvqa.recipe import Recipe
from hpvqa.vlm.prompt import load_prompt
from tests.factories import copy, make_data, quiet

PROMPT = load_prompt("paper")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("finetune_rows")
    build(make_data(folder / "data", push=24, drop=12), folder / "dataset", quiet(), recipe=Recipe())
    return open_dataset(folder / "dataset")


def rows(dataset: Dataset, **changes: object) -> TrainingRows:
    given: dict[str, object] = {"validation": 0.2, "seed": 1, **changes}
    return training_rows(dataset, PROMPT, **given)  # type: ignore[arg-type]


@pytest.mark.slow
def test_validation_is_by_episode_and_answer(dataset: Dataset) -> None:
    found = rows(dataset)
    train, held_out = ({item.row.cluster for item in part} for part in (found.train, found.validation))
    assert train.isdisjoint(held_out)
    assert len(found.train) + len(found.validation) == len(dataset.rows("train"))
    for task in ("push", "drop"):
        answers = [item.row.answer for item in found.validation if item.row.task == task]
        assert answers.count("left") == answers.count("right") > 0
    assert all(item.split == "train" for item in (*found.train, *found.validation))


def test_the_division_follows_from_the_seed(dataset: Dataset) -> None:
    def names(seed: int) -> list[str]:
        return [item.row.file_name for item in rows(dataset, seed=seed).validation]

    assert names(1) == names(1)
    assert len({tuple(names(seed)) for seed in range(8)}) > 1


def test_tasks_and_cameras_are_chosen(dataset: Dataset) -> None:
    assert {item.row.task for item in rows(dataset, task="drop").train} == {"drop"}
    found = rows(dataset, task="push", cameras=["back_top_narrow"])
    assert {item.row.camera for item in (*found.train, *found.validation)} == {"back_top_narrow"}
    with pytest.raises(UsageError, match="did you mean 'back_top_narrow'"):
        rows(dataset, cameras=["back_top_narow"])


def test_a_data_set_without_a_training_split(tmp_path: Path) -> None:
    build(make_data(tmp_path / "data", push=2), tmp_path / "dataset", quiet(), recipe=Recipe())
    with pytest.raises(UsageError, match="has no training split"):
        rows(open_dataset(tmp_path / "dataset"))


def one_sided(dataset: Dataset, to: Path) -> Dataset:
    root = copy(dataset.root, to)
    path = root / "train" / "metadata.jsonl"
    lines = [line for line in path.read_text().splitlines(keepends=True) if json.loads(line)["answer"] == "left"]
    path.write_text("".join(lines))
    manifest = root / "manifest.json"
    data = json.loads(manifest.read_text())
    from hpvqa.record.episode import file_record

    data["files"]["train/metadata.jsonl"] = file_record(path).model_dump()
    manifest.write_text(json.dumps(data))
    return open_dataset(root)


def test_labels_of_one_side_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No training row of push has the answer right"):
        rows(one_sided(dataset, tmp_path / "dataset"))
