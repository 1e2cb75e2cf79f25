"""What a data set says of itself: the front matter and the facts of its card, and ``croissant.json``."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpvqa.dataset.build import Questions
from hpvqa.dataset.croissant import CROISSANT_FILE
from hpvqa.dataset.facts import baselines, size_category
from hpvqa.dataset.importing import import_public
from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.splits import SPLITS
from hpvqa.tasks.base import FORMS
from tests.build_data import hpvqa, make
from tests.factories import make_data, make_original, quiet


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("described")
    make(make_data(folder / "data", push=8), folder / "dataset", questions=Questions(FORMS), licence="cc-by-4.0")
    return folder / "dataset"


def front(dataset: Path) -> dict[str, Any]:
    _, text, _ = (dataset / "README.md").read_text().split("---\n", 2)
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def described(dataset: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((dataset / CROISSANT_FILE).read_text())
    return found


def test_the_card_has_what_the_hub_asks_for(dataset: Path) -> None:
    found = front(dataset)
    assert found["license"] == "cc-by-4.0"
    assert found["size_categories"] == ["n<1K"]
    assert found["annotations_creators"] == ["machine-generated"]
    assert "video-text-to-text" in found["task_categories"]
    text = (dataset / "README.md").read_text()
    for heading in ("How it was made", "Known limits", "Scores to compare with"):
        assert f"\n## {heading}\n" in text


@pytest.mark.parametrize(
    ("rows", "category"), [(0, "n<1K"), (999, "n<1K"), (1000, "1K<n<10K"), (10**6, "1M<n<10M"), (10**9, "n>10M")]
)
def test_size_categories_are_those_of_the_hub(rows: int, category: str) -> None:
    assert size_category(rows) == category


def test_answering_without_looking_is_scored_on_the_evaluation_split(dataset: Path) -> None:
    opened = open_dataset(dataset)
    (_, side, _, share, n), (_, _, _, near, of) = baselines({split: opened.rows(split) for split in SPLITS})
    answers = [row.answer for row in opened.comparisons("eval")]
    assert (share, n) == (answers.count(side) / len(answers), len(answers))
    known = [row.value for row in opened.values("train")]
    guess = sum(known) / len(known)
    assert (near, of) == (
        sum(abs(guess / row.value - 1) <= 0.25 for row in opened.values("eval")) / of,
        len(opened.values("eval")),
    )
    assert f"| push | {side} | accuracy | {share:.3f} | {n} |" in (dataset / "README.md").read_text()
    assert baselines({"eval": opened.rows("eval")}) == []


def test_croissant_names_the_files_and_columns_that_are_there(dataset: Path) -> None:
    found = described(dataset)
    assert found["conformsTo"][0] == "http://mlcommons.org/croissant/1.1"
    assert found["license"] == "https://spdx.org/licenses/CC-BY-4.0.html"
    for entry in found["distribution"]:
        if entry["@type"] == "cr:FileObject":
            content = (dataset / entry["contentUrl"]).read_bytes()
            assert entry["sha256"] == hashlib.sha256(content).hexdigest()
            assert entry["contentSize"] == f"{len(content)} B"
        else:
            assert list(dataset.glob(entry["includes"]))
    for records in found["recordSet"]:
        lines = [json.loads(line) for line in (dataset / records["name"] / "metadata.jsonl").read_text().splitlines()]
        columns = {field["source"]["extract"]["column"] for field in records["field"]}
        assert {"question", "answer", "value"} <= columns
        assert all(any(name in line for line in lines) for name in columns)
    assert any("drawn from fixed ranges" in limit for limit in found["rai:dataLimitations"])
    assert found["rai:personalSensitiveInformation"]
    assert "seed 3" in found["rai:dataCollection"]


def test_of_data_that_others_made_nothing_is_said_that_is_not_known(tmp_path: Path) -> None:
    make_original(tmp_path / "original" / "push_train", "push", {0: "Left.", 1: "Right."})
    import_public(tmp_path / "original", tmp_path / "dataset", quiet(), seed=0)
    found = described(tmp_path / "dataset")
    assert (front(tmp_path / "dataset")["license"], found["license"]) == ("unknown", "unknown")
    assert found.keys().isdisjoint({"rai:dataAnnotationProtocol", "rai:personalSensitiveInformation"})
    assert not any("drawn" in limit for limit in found["rai:dataLimitations"])
    assert "Imported" in found["rai:dataCollection"]
    assert "There are none" in (tmp_path / "dataset" / "README.md").read_text()


def test_the_licence_is_an_option(dataset: Path, tmp_path: Path) -> None:
    data = dataset.parent / "data"
    assert hpvqa("build", data, "--out", tmp_path / "one") == 0
    assert front(tmp_path / "one")["license"] == "apache-2.0"
    assert hpvqa("build", data, "--out", tmp_path / "other", "--licence", "mit") == 0
    assert front(tmp_path / "other")["license"] == "mit"
