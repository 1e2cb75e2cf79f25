"""Whoever names the wrong folder is told the one that was meant."""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.places import Kind, kind_of, not_a
from hpvqa.recipe import Recipe
from tests.factories import make_data, quiet


@pytest.fixture(scope="module")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("places") / "demo"
    make_data(folder / "data", push=4)
    build(folder / "data", folder / "dataset", quiet(), recipe=Recipe())
    return folder


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("data", "data folder"),
        ("dataset", "data set"),
        ("data/push/000/episode-000001", "episode"),
        ("data/push", None),
    ],
)
def test_what_a_folder_is(demo: Path, name: str, kind: Kind | None) -> None:
    assert kind_of(demo / name) == kind


@pytest.mark.parametrize("model", ["adapter", "base"])
def test_the_record_of_a_training_makes_no_data_folder(model: str, demo: Path, tmp_path: Path) -> None:
    kept = tmp_path / "runs" / model
    kept.mkdir(parents=True)
    record = files("hpvqa") / "vlm" / "embedded" / model / "hpvqa.json"
    (kept / "hpvqa.json").write_bytes(record.read_bytes())
    assert kind_of(kept) is None
    assert str(kept) not in not_a("data folder", tmp_path / "runs" / "nothing")
    # What is damaged is called what it was meant to be, so that it is not lost sight of.
    (kept / "hpvqa.json").write_text("{")
    assert kind_of(kept) == "data folder"


@pytest.mark.parametrize(
    ("name", "wanted", "said"),
    [
        ("dataset", "data folder", "dataset is a data set, not a data folder; use this one: {demo}/data"),
        ("data/push", "data folder", "push is not a data folder; use this one: {demo}/data"),
        ("data/push/000/episode-000001", "data folder", "is an episode, not a data folder; use this one: {demo}/data"),
        ("data", "data set", "data is a data folder, not a data set; use this one: {demo}/dataset"),
        ("nothing", "data set", "There is no data set {demo}/nothing; use this one: {demo}/dataset"),
        ("data/hpvqa.json", "data folder", "hpvqa.json is a file, not a data folder; use this one: {demo}/data"),
        (
            "data",
            "episode",
            "use one of these: {demo}/data/push/000/episode-000000, ",
        ),
        ("data/push/000/episode-000001/back_wide.mp4", "episode", "use this one: {demo}/data/push/000/episode-000001"),
    ],
)
def test_what_was_meant_is_named(demo: Path, name: str, wanted: Kind, said: str) -> None:
    assert said.format(demo=demo) in not_a(wanted, demo / name)


@pytest.mark.parametrize("name", [".", "new"])
def test_what_lies_above_the_working_folder_is_named(demo: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.chdir(demo / "data" / "push")
    assert not_a("data folder", Path(name)).endswith(f"use this one: {demo}/data")


def test_nobody_is_told_to_collect_where_that_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "empty").mkdir()
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").touch()
    for name, there in (("file", False), ("full", False), ("empty", True), ("new", True)):
        assert (f"collect --out {tmp_path / name}`" in not_a("data folder", tmp_path / name)) == there
