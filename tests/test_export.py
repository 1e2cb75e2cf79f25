"""Data sets in the form of other programs: what every export has in common, through the command line, on real clips."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path

import pytest

from hpvqa.dataset.build import Questions
from hpvqa.dataset.export.registry import FORMATS, find_format
from hpvqa.dataset.importing import import_public
from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.splits import SPLITS
from hpvqa.evaluate.exporting import ExportRecord
from hpvqa.tasks.base import FORMS
from tests.build_data import hpvqa, make, tree
from tests.factories import copy, make_data, make_original, quiet

Say = Callable[[], str]
formats = pytest.mark.parametrize("name", FORMATS)


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("export")
    make(make_data(folder / "data", push=4), folder / "dataset", questions=Questions(FORMS))
    return folder / "dataset"


@pytest.fixture
def said(capsys: pytest.CaptureFixture[str]) -> Say:
    return lambda: capsys.readouterr().err.splitlines()[-1]


@formats
@pytest.mark.slow
def test_an_export_is_whole_and_can_be_moved(name: str, dataset: Path, tmp_path: Path) -> None:
    before = tree(dataset)
    assert hpvqa("export", name, dataset, "--out", tmp_path / "out") == 0
    assert tree(dataset) == before
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    found = tree(tmp_path / "out")
    record = ExportRecord.model_validate_json(found["export.json"])
    splits = SPLITS if find_format(name).splits == "all" else ("eval",)
    rows = {split: len(open_dataset(dataset).rows(split)) for split in splits}
    assert (record.format, record.rows) == (name, rows)
    assert record.dataset == open_dataset(dataset).fingerprint
    for place in (tmp_path, dataset.parent):
        assert [file for file, content in found.items() if str(place).encode() in content] == []
    assert re.findall(rb"\{\w+\}", found["README.md"]) == []


@formats
@pytest.mark.slow
def test_the_same_export_twice_is_the_same(name: str, dataset: Path, tmp_path: Path) -> None:
    for out in ("one", "other"):
        assert hpvqa("export", name, dataset, "--out", tmp_path / out) == 0
    assert tree(tmp_path / "one") == tree(tmp_path / "other")


@formats
def test_damaged_clips_are_named_and_nothing_is_written(name: str, dataset: Path, tmp_path: Path, said: Say) -> None:
    damaged = copy(dataset, tmp_path / "damaged")
    clips = sorted((damaged / "eval").rglob("*.mp4"))
    clips[0].write_bytes(clips[0].read_bytes()[:-7])
    clips[-1].unlink()
    assert hpvqa("export", name, damaged, "--out", tmp_path / "out") == 1
    sentence = said()
    for clip in (clips[0], clips[-1]):
        assert clip.relative_to(damaged).as_posix() in sentence
    assert [path.name for path in tmp_path.iterdir()] == ["damaged"]


@formats
def test_nothing_is_replaced(name: str, dataset: Path, tmp_path: Path, said: Say) -> None:
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").touch()
    assert hpvqa("export", name, dataset, "--out", tmp_path / "out") == 2
    assert "exists already" in said()
    assert tree(tmp_path) == {"out/mine": b""}
    assert hpvqa("export", name, dataset, "--out", dataset / "out") == 2
    assert "inside of the data set" in said()


def test_the_folder_one_is_in_is_refused_and_a_link_stays(
    dataset: Path, tmp_path: Path, said: Say, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert hpvqa("export", "messages", dataset, "--out", ".") == 2
    assert "is the folder you are in" in said()
    (tmp_path / "link").symlink_to("empty")
    monkeypatch.chdir(tmp_path)
    assert hpvqa("export", "messages", dataset, "--out", tmp_path / "link") == 0
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "empty" / "export.json").is_file()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty", "link"]


@formats
def test_what_a_killed_process_left_is_no_hindrance(name: str, dataset: Path, tmp_path: Path) -> None:
    (tmp_path / "out.partial" / "frames").mkdir(parents=True)
    (tmp_path / "out.partial" / "frames" / "half").touch()
    assert hpvqa("export", name, dataset, "--out", tmp_path / "out") == 0
    assert [path.name for path in tmp_path.iterdir()] == ["out"]
    assert not (tmp_path / "out" / "frames" / "half").exists()


@formats
def test_every_format_is_in_the_help(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert hpvqa("export", "--help") == 0
    text = capsys.readouterr().out
    assert f"  {name} " in text
    assert f"hpvqa export {name} " in text


@pytest.mark.parametrize(
    ("args", "sentence"),
    [
        (["swif"], "did you mean 'swift'?"),
        (["lerobot", "--media", "clips"], "--media changes nothing in the format lerobot"),
        (["lerobot", "--fps", "4"], "--fps changes nothing in the format lerobot"),
        (["swift", "--no-language"], "--no-language changes nothing in the format swift"),
        (["swift", "--media", "clips", "--sampler", "motion"], "--sampler chooses frames"),
        (["swift", "--sampler", "events"], "choose another --sampler"),
        (["messages", "--task", "drop"], "has no rows of drop"),
        (["messages", "--camera", "nowhere"], "There is no camera 'nowhere'"),
    ],
)
def test_what_cannot_be_is_refused(args: list[str], sentence: str, dataset: Path, tmp_path: Path, said: Say) -> None:
    assert hpvqa("export", args[0], dataset, "--out", tmp_path / "out", *args[1:]) == 2
    assert sentence in said()
    assert list(tmp_path.iterdir()) == []


def test_what_is_no_data_set_is_refused(tmp_path: Path, said: Say) -> None:
    assert hpvqa("export", "swift", tmp_path / "nothing", "--out", tmp_path / "out") == 2
    assert "There is no data set" in said()


@formats
def test_an_imported_data_set_has_questions_and_clips_alone(name: str, tmp_path: Path, said: Say) -> None:
    make_original(tmp_path / "original" / "push_train", "push", {0: "Left.", 1: "Right."})
    import_public(tmp_path / "original", tmp_path / "dataset", quiet(), seed=0)
    code = hpvqa("export", name, tmp_path / "dataset", "--out", tmp_path / "out")
    if "language" in find_format(name).options:
        assert (code, (tmp_path / "out").exists()) == (2, False)
        assert "has no trajectories" in said()
    elif find_format(name).splits == "eval":
        assert code == 2
        assert "has no eval split" in said()
    else:
        assert code == 0


def test_the_result_for_programs(dataset: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hpvqa("export", "swift", dataset, "--out", tmp_path / "out", "--questions", "compare", "--json") == 0
    found = json.loads(capsys.readouterr().out)
    assert found["out"] == str(tmp_path / "out")
    assert found["rows"] == {"train": 4, "eval": 4}
    assert found["frames"]["resolution"] == [224, 224]
