"""A folder of scenes: what it refuses, and that one process at a time draws into it."""

from __future__ import annotations

import json
from collections import Counter
from concurrent.futures import BrokenExecutor, Executor
from pathlib import Path
from typing import NoReturn

import pytest
from click.testing import CliRunner

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.draw import GROUP
from hpvqa.explore.folder import LOCK_FILE, WORLDS_FILE, Worlds, draw, read_worlds
from hpvqa.explore.scene import FAMILIES, read_scene, scene_file
from hpvqa.files import locked
from hpvqa.main import cli
from hpvqa.progress.reporter import Reporter
from tests.explore_worlds import write_worlds
from tests.factories import copy, quiet
from tests.recorder import Recorder

WORLDS = Worlds(seed=3, families=("stack",), scenes=GROUP)


def paths(folder: Path) -> list[Path]:
    """The files of its scenes."""
    return [scene_file(folder, "stack", number) for number in range(GROUP)]


def test_two_processes_do_not_draw_into_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path / LOCK_FILE), pytest.raises(RunError, match="Another process is at work in"):
        draw(tmp_path, Worlds(seed=0, families=FAMILIES, scenes=GROUP), 1, quiet())
    assert not (tmp_path / WORLDS_FILE).exists()


def test_scenes_of_another_seed_are_not_mixed(tmp_path: Path) -> None:
    there = Worlds(seed=1, families=("cover",), scenes=GROUP)
    (tmp_path / WORLDS_FILE).write_text(there.model_dump_json())
    with pytest.raises(UsageError, match="holds scenes of seed 1 and of cover"):
        draw(tmp_path, Worlds(seed=0, families=("cover",), scenes=GROUP), 1, quiet())


def test_nothing_is_drawn_into_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "thesis.tex").touch()
    with pytest.raises(UsageError, match="exists and holds no scenes; choose another --out"):
        draw(tmp_path, Worlds(seed=0, families=FAMILIES, scenes=GROUP), 1, quiet())
    done = CliRunner().invoke(cli, ["explore", "draw", "--scenes", "4", "--out", str(tmp_path)])
    assert isinstance(done.exception, UsageError)
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.tex"]


def test_nobody_is_told_to_draw_into_a_folder_of_something_else(tmp_path: Path) -> None:
    (tmp_path / "dataset").mkdir()
    (tmp_path / "dataset" / "manifest.json").touch()
    with pytest.raises(UsageError, match=r"dataset is a data set, not a folder of scenes; make one with `[^`]*draw`"):
        read_worlds(tmp_path / "dataset")
    with pytest.raises(UsageError, match=r"make one with `hpvqa explore draw --out .*new`"):
        read_worlds(tmp_path / "new")
    write_worlds(tmp_path / "worlds")
    with pytest.raises(UsageError, match=r"not a folder of scenes; use this one: .*worlds\Z"):
        read_worlds(tmp_path / "dataset")


@pytest.mark.parametrize("damage", [{"families": []}, {"scenes": -4}, {"seed": -1}, {"scenes": 10**50}])
def test_a_folder_that_says_what_cannot_be_is_damaged(damage: dict[str, object], tmp_path: Path) -> None:
    said = Worlds(seed=0, families=("cover",), scenes=GROUP).model_dump(mode="json") | damage
    (tmp_path / WORLDS_FILE).write_text(json.dumps(said))
    with pytest.raises(UsageError, match="is damaged or of another version"):
        read_worlds(tmp_path)


def test_any_number_of_scenes_begins_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Half a billion groups, none of which is thought of before its turn comes."""
    begun = list[object]()

    class Broken(Executor):
        def __init__(self, *args: object) -> None:
            pass

        def submit(self, *args: object) -> NoReturn:  # type: ignore[override]
            begun.append(args)
            raise BrokenExecutor

        def kill(self) -> None:
            pass

    write_worlds(tmp_path / "worlds")
    monkeypatch.setattr("hpvqa.explore.folder.Workers", Broken)
    told, worlds = Recorder(), Worlds(seed=0, families=("stack",), scenes=2**31 - 4)
    with pytest.raises(RunError, match="ended unexpectedly"):
        draw(tmp_path / "worlds", worlds, 2, Reporter([told], lambda: 0.0))
    assert [(event.total, event.done) for event in told.events if event.event == "start"] == [(2**31 - 4, GROUP)]
    # The first group is there already.
    assert [args[1:4] for args in begun if isinstance(args, tuple)] == [(tmp_path / "worlds", "stack", 1)]


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ([], (3, ("stack",), 4)),
        (["--scenes", "8"], (3, ("stack",), 8)),
        (["--seed", "4", "--family", "cover"], (4, ("cover",), 4)),
    ],
)
def test_options_that_are_not_given_are_the_folders_own(
    given: list[str], wanted: tuple[object, ...], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = list[Worlds]()
    monkeypatch.setattr("hpvqa.sim.prepare", lambda *args, **named: None)
    monkeypatch.setattr("hpvqa.explore.folder.draw", lambda out, worlds, *_: asked.append(worlds) or Counter())
    write_worlds(tmp_path / "worlds", seed=3)
    done = CliRunner().invoke(cli, ["explore", "draw", *given, "--out", str(tmp_path / "worlds")])
    assert done.exit_code == 0, done.output
    assert [(one.seed, one.families, one.scenes) for one in asked] == [wanted]


@pytest.fixture(scope="module")
def drawn(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Recorder]:
    """A folder of one group, and what was told while it was drawn."""
    pytest.importorskip("mujoco")
    folder, told = tmp_path_factory.mktemp("drawn"), Recorder()
    draw(folder, WORLDS, 1, Reporter([told], lambda: 0.0))
    return folder, told


@pytest.mark.simulation
def test_drawing_tells_of_every_scene_and_what_is_there_is_not_drawn_again(drawn: tuple[Path, Recorder]) -> None:
    folder, told = drawn
    names = [event.name for event in told.events if event.event == "item"]
    assert names == [path.relative_to(folder).as_posix() for path in paths(folder)]
    assert json.loads((folder / WORLDS_FILE).read_text())["scenes"] == GROUP
    assert read_scene(paths(folder)[0]).twin == 1
    again = Recorder()
    draw(folder, WORLDS, 1, Reporter([again], lambda: 0.0))
    assert [event.event for event in again.events] == ["start", "done"]


@pytest.mark.simulation
@pytest.mark.long
def test_a_scene_that_is_lost_is_drawn_again_bit_for_bit_and_its_group_with_it(
    drawn: tuple[Path, Recorder], tmp_path: Path
) -> None:
    folder = copy(drawn[0], tmp_path / "worlds")
    before = [path.read_bytes() for path in paths(folder)]
    paths(folder)[2].unlink()
    draw(folder, WORLDS, 1, quiet())
    assert [path.read_bytes() for path in paths(folder)] == before
