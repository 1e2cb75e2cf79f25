"""A folder of scenes: what it refuses, and that one process at a time draws into it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpvqa.errors import RunError, UsageError
from hpvqa.explore.draw import GROUP
from hpvqa.explore.folder import LOCK_FILE, WORLDS_FILE, Worlds, draw
from hpvqa.explore.scene import FAMILIES, read_scene, scene_file
from hpvqa.files import locked
from hpvqa.progress.reporter import Reporter
from tests.factories import copy, quiet
from tests.recorder import Recorder

WORLDS = Worlds(seed=3, families=("cover",), scenes=GROUP)


def paths(folder: Path) -> list[Path]:
    """The files of its scenes."""
    return [scene_file(folder, "cover", number) for number in range(GROUP)]


def test_two_processes_do_not_draw_into_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path / LOCK_FILE), pytest.raises(RunError, match="Another process is at work in"):
        draw(tmp_path, Worlds(seed=0, families=FAMILIES, scenes=GROUP), 1, quiet())
    assert not (tmp_path / WORLDS_FILE).exists()


def test_scenes_of_another_seed_are_not_mixed(tmp_path: Path) -> None:
    there = Worlds(seed=1, families=("cover",), scenes=GROUP)
    (tmp_path / WORLDS_FILE).write_text(there.model_dump_json())
    with pytest.raises(UsageError, match="holds scenes of seed 1 and of cover"):
        draw(tmp_path, Worlds(seed=0, families=("cover",), scenes=GROUP), 1, quiet())


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
