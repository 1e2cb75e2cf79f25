"""Every kind of damage to a data set or a data folder is found and named."""

from __future__ import annotations

import hashlib
import json
import os
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.verify import verify
from hpvqa.errors import RunError, UsageError
from hpvqa.main import main
from hpvqa.recipe import Recipe
from tests.factories import copy, make_data, quiet

FILES_PER_EPISODE = 3  # two clips and a trajectory


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("verify")
    make_data(folder / "data", push=4)
    build(folder / "data", folder / "dataset", quiet(), recipe=Recipe())
    return folder


def faults(root: Path) -> dict[str, str]:
    return {problem.file: problem.fault for problem in verify(root, quiet()).problems}


def test_nothing_is_wrong(made: Path) -> None:
    dataset, data = verify(made / "dataset", quiet()), verify(made / "data", quiet())
    assert (dataset.kind, dataset.files, dataset.problems) == ("data set", 4 * (FILES_PER_EPISODE + 1) + 4, ())
    assert (data.kind, data.files, data.problems) == ("data folder", 4 * FILES_PER_EPISODE, ())


@pytest.mark.parametrize("kind", ["data", "dataset"])
def test_damage_is_found_and_named(made: Path, tmp_path: Path, kind: str) -> None:
    root = copy(made / kind, tmp_path / kind)
    clips = sorted(root.rglob("*.mp4"))
    clips[0].unlink()
    clips[1].write_bytes(clips[1].read_bytes()[:-20])
    changed = bytearray(clips[2].read_bytes())
    changed[len(changed) // 2] ^= 1
    clips[2].write_bytes(bytes(changed))
    strangers = [clips[3].with_name("stranger.mp4"), clips[3].parents[1] / "notes.txt"]
    for path in strangers:
        path.write_bytes(b"?")
    names = [path.relative_to(root).as_posix() for path in (*clips[:3], *strangers)]
    found = ["missing", "truncated", "altered", "unlisted", "unlisted"]
    assert faults(root) == dict(zip(names, found, strict=True))


def test_every_single_byte_counts(made: Path, tmp_path: Path) -> None:
    root = copy(made / "dataset", tmp_path / "dataset")
    for path in sorted(root.rglob("*.*")):
        if path.name == "manifest.json":
            continue
        before = path.read_bytes()
        path.write_bytes(before + b"\n")
        assert list(faults(root)) == [path.relative_to(root).as_posix()]
        path.write_bytes(before)
    assert faults(root) == {}


@pytest.mark.parametrize(
    ("damage", "fault"),
    [
        (lambda path: path.unlink(), "missing"),
        (lambda path: path.write_text(path.read_text()[:-40]), "altered"),
        (lambda path: path.write_text(path.read_text().replace('"attempt": 0', '"attempt": 1')), "altered"),
    ],
)
def test_a_damaged_record_of_an_episode(made: Path, tmp_path: Path, damage: object, fault: str) -> None:
    root = copy(made / "data", tmp_path / "data")
    assert callable(damage)
    damage(root / "push" / "000" / "episode-000002" / "episode.json")
    assert faults(root) == {"push/000/episode-000002/episode.json": fault}


def test_a_damaged_manifest(made: Path, tmp_path: Path) -> None:
    root = copy(made / "dataset", tmp_path / "dataset")
    (root / "manifest.json").write_text("{")
    with pytest.raises(RunError, match=r"manifest\.json is damaged"):
        verify(root, quiet())


def test_neither_data_set_nor_data(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="is not a data set or a data folder"):
        verify(tmp_path, quiet())


def test_command(made: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    def hpvqa(*args: object) -> int:
        with pytest.raises(SystemExit) as stop:
            main(["verify", *(str(arg) for arg in args)])
        return int(stop.value.code or 0)

    assert hpvqa(made / "dataset") == 0
    assert "no problem" in capsys.readouterr().out
    root = copy(made / "dataset", tmp_path / "dataset")
    (root / "eval" / "metadata.jsonl").unlink()
    assert hpvqa(root) == 1
    assert "missing: eval/metadata.jsonl" in capsys.readouterr().out
    assert hpvqa(root, "--json") == 1
    result = json.loads(capsys.readouterr().out)
    assert [problem["file"] for problem in result["problems"]] == ["eval/metadata.jsonl"]
    assert hpvqa(tmp_path / "nowhere") == 2


def test_files_that_cannot_be_read_are_listed_with_the_others(made: Path, tmp_path: Path) -> None:
    root = copy(made / "data", tmp_path / "data")
    folders = sorted((root / "push" / "000").iterdir())
    records = [folder / "episode.json" for folder in folders[:3]]
    clip = folders[3] / "back_top_narrow.mp4"
    for path in (*records, clip):
        path.unlink()
    os.mkfifo(records[0])
    records[1].symlink_to("/dev/zero")
    records[2].mkdir()
    os.mkfifo(clip)
    assert faults(root) == {str(path.relative_to(root)): "unreadable" for path in (*records, clip)}


@pytest.mark.parametrize("name", ["../x.mp4", "/dev/zero", "eval/../../x.mp4", "a\0b", "out/x.mp4"])
def test_a_manifest_that_names_files_elsewhere(made: Path, tmp_path: Path, name: str) -> None:
    root = copy(made / "dataset", tmp_path / "dataset")
    (tmp_path / "x.mp4").write_bytes(b"x")
    (root / "out").symlink_to(tmp_path)
    manifest = json.loads((root / "manifest.json").read_text())
    manifest["files"][name] = {"bytes": 1, "sha256": hashlib.sha256(b"x").hexdigest()}
    (root / "manifest.json").write_text(json.dumps(manifest))
    assert faults(root) == {name: "outside", "out": "unlisted"}


def test_a_file_is_read_no_farther_than_it_should_go(made: Path, tmp_path: Path) -> None:
    root = copy(made / "dataset", tmp_path / "dataset")
    with next(iter(root.rglob("*.mp4"))).open("r+b") as file:
        file.truncate(1 << 36)
    assert list(faults(root).values()) == ["altered"]
