"""Which rows a run is about."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from hpvqa.dataset.build import build
from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.errors import RunError, UsageError
from hpvqa.evaluate.select import Rows, parse_episodes, select
from hpvqa.recipe import Recipe
from hpvqa.vlm.prompt import load_prompt
from tests.factories import copy, make_data, quiet

PROMPT = load_prompt("paper")


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("select")
    build(make_data(folder / "data", push=8, drop=8), folder / "dataset", quiet(), recipe=Recipe())
    return open_dataset(folder / "dataset")


def test_rows_are_selected(dataset: Dataset) -> None:
    assert len(select(dataset, "train", PROMPT)) == 24
    assert {item.row.task for item in select(dataset, "eval", PROMPT, task="drop")} == {"drop"}
    assert len(select(dataset, "all", PROMPT, camera=("front_wide",))) == 8
    with pytest.raises(UsageError, match="did you mean 'front_wide'"):
        select(dataset, "all", PROMPT, camera=("front_wid",))


def test_an_empty_split_is_a_sentence(tmp_path: Path) -> None:
    build(make_data(tmp_path / "data", push=2), tmp_path / "dataset", quiet(), recipe=Recipe())
    with pytest.raises(UsageError, match=r"train split of .* has no rows"):
        select(open_dataset(tmp_path / "dataset"), "train", PROMPT)


def test_metadata_that_do_not_match_the_manifest_are_refused(dataset: Dataset, tmp_path: Path) -> None:
    root = copy(dataset.root, tmp_path / "dataset")
    path = root / "eval" / "metadata.jsonl"
    path.write_text(path.read_text().replace('"answer":"left"', '"answer":"right"', 1))
    with pytest.raises(RunError, match="differs from the manifest"):
        select(open_dataset(root), "eval", load_prompt("paper"))


def test_episodes_are_selected(dataset: Dataset) -> None:
    there = {item.row.episode for item in select(dataset, "eval", PROMPT)}
    one = min(there)
    assert {item.row.episode for item in select(dataset, "eval", PROMPT, episodes=[one])} == {one}
    with pytest.raises(UsageError, match=r"There is no episode 99 in the eval split"):
        select(dataset, "eval", PROMPT, episodes=[one, 99])


@pytest.mark.parametrize("camera", [[["a"]], [{}], ["a", 1], [None, "a"], {}])
def test_cameras_that_are_no_names_are_refused(camera: object) -> None:
    with pytest.raises(ValidationError):
        Rows.model_validate({"split": "eval", "camera": camera})
    assert Rows.model_validate({"split": "eval", "camera": "a"}).camera == ("a",)
    assert Rows.model_validate({"split": "eval", "camera": ["b", "a", "b"]}).camera == ("a", "b")


def test_a_query_holds_no_label(dataset: Dataset) -> None:
    for item in select(dataset, "all", PROMPT):
        query = item.query
        assert query.system == PROMPT.system
        assert query.text == item.row.question
        assert query.choices == ("left", "right")
        assert query.clip.is_file()
        assert query.videos == ()


@given(st.sets(st.integers(0, 999_999), min_size=1, max_size=20))
def test_lists_of_episodes_are_read(numbers: set[int]) -> None:
    assert parse_episodes(",".join(map(str, numbers))) == tuple(sorted(numbers))


def test_ranges_of_episodes_are_read() -> None:
    assert parse_episodes("7, 2-4,3") == (2, 3, 4, 7)


@pytest.mark.parametrize("text", ["", "a", "3-", "4-2", "1,,2", "-3", "1.5", "0-99999999"])
def test_other_lists_are_refused(text: str) -> None:
    with pytest.raises(UsageError, match="Episodes look like"):
        parse_episodes(text)
