"""What the version before named things wrote is still read: its own files, in ``version1``, never made anew."""

from __future__ import annotations

import json
import shutil
from importlib.metadata import version
from pathlib import Path

import pytest

from hpvqa.dataset.build import build
from hpvqa.dataset.load import open_dataset
from hpvqa.main import main
from hpvqa.plain import parse_json
from hpvqa.recipe import Recipe
from hpvqa.record.episode import RECORD_FILE, find_episodes, read_episode
from hpvqa.scene.spec import SIDES
from tests.factories import quiet

OLD = Path(__file__).with_name("version1")


@pytest.fixture
def old(tmp_path: Path) -> Path:
    shutil.copytree(OLD, tmp_path / "old")
    return tmp_path / "old"


def hpvqa(*args: str | Path) -> int:
    with pytest.raises(SystemExit) as done:
        main([str(arg) for arg in args])
    return int(done.value.code or 0)


def test_an_episode_has_things_where_it_had_sides(old: Path) -> None:
    folders = list(find_episodes(old / "data"))
    assert len(folders) == 6
    for folder in folders:
        written = json.loads((folder / RECORD_FILE).read_text())
        record = read_episode(folder)
        assert written["schema_version"] == written["spec"]["schema_version"] == 1
        assert record.spec.names == SIDES
        assert record.spec.order[0] == written["spec"]["first"]
        for thing in record.spec.things:
            before = written["spec"][thing.name]
            assert thing.half_height == before["size"]
            assert (thing.mass, thing.friction, thing.restitution) == (
                before["mass"],
                before["friction"],
                before["restitution"],
            )
            assert thing.position == tuple(before["position"])
            assert thing.shape == {"cube": "box", "sphere": "sphere"}[before["shape"]]
        assert record.outcome.measurement is not None
        assert record.outcome.measurement.values == {side: written["outcome"]["measurement"][side] for side in SIDES}


def test_its_checksum_is_that_of_the_file(old: Path) -> None:
    folder = next(find_episodes(old / "data"))
    record = read_episode(folder)
    assert record.checksum == record.digest()
    path = folder / RECORD_FILE
    path.write_text(path.read_text().replace('"seed": 3', '"seed": 4'))
    damaged = read_episode(folder)
    assert damaged.checksum != damaged.digest()


def test_old_and_new_episodes_are_built_alike(old: Path, tmp_path: Path) -> None:
    build(old / "data", tmp_path / "again", quiet(), recipe=Recipe())
    before, now = open_dataset(old / "dataset"), open_dataset(tmp_path / "again")
    for split in ("train", "eval"):
        assert now.rows(split) == before.rows(split)
        assert all(row.values and row.contacts for row in before.rows(split))


@pytest.mark.slow
def test_commands_take_it(old: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert hpvqa("verify", old / "data") == 0
    assert hpvqa("verify", old / "dataset") == 0
    assert hpvqa("show", next(find_episodes(old / "data")), "--out", old / "sheet.png") == 0
    capsys.readouterr()
    assert hpvqa("list", old / "dataset", "--json") == 0
    assert {tuple(entry["values"]) for entry in parse_json(capsys.readouterr().out)} == {SIDES}


def test_a_run_goes_on(old: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.chdir(old)
    before = (old / "run" / "predictions.jsonl").read_text()
    # With the packages of then, which a run is bound to.
    settings = json.loads((old / "run" / "run.json").read_text())
    settings["versions"] |= {name: version(name) for name in ("numpy", "pyarrow")}
    (old / "run" / "run.json").write_text(json.dumps(settings))
    again = ("eval", "--model", "oracle", "--dataset", "dataset", "--task", "push", "--out", "run")
    assert hpvqa(*again, "--limit", "2") == 0
    assert (old / "run" / "predictions.jsonl").read_text() == before
    assert hpvqa("report", "run", "--json") == 0
