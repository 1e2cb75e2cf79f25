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
from tests.factories import quiet
from tests.recorder import Recorder


def test_two_processes_do_not_draw_into_one_folder(tmp_path: Path) -> None:
    with locked(tmp_path / LOCK_FILE), pytest.raises(RunError, match="Another process is at work in"):
        draw(tmp_path, Worlds(seed=0, families=FAMILIES, scenes=GROUP), 1, quiet())
    assert not (tmp_path / WORLDS_FILE).exists()


def test_scenes_of_another_seed_are_not_mixed(tmp_path: Path) -> None:
    there = Worlds(seed=1, families=("cover",), scenes=GROUP)
    (tmp_path / WORLDS_FILE).write_text(there.model_dump_json())
    with pytest.raises(UsageError, match="holds scenes of seed 1 and of cover"):
        draw(tmp_path, Worlds(seed=0, families=("cover",), scenes=GROUP), 1, quiet())


@pytest.mark.simulation
def test_drawing_goes_on_where_it_stopped_and_tells_of_every_scene(tmp_path: Path) -> None:
    pytest.importorskip("mujoco")
    worlds, told = Worlds(seed=3, families=("cover",), scenes=GROUP), Recorder()
    draw(tmp_path, worlds, 1, Reporter([told], lambda: 0.0))
    paths = [scene_file(tmp_path, "cover", number) for number in range(GROUP)]
    before = [path.read_bytes() for path in paths]
    names = [event.name for event in told.events if event.event == "item"]
    assert names == [path.relative_to(tmp_path).as_posix() for path in paths]
    assert json.loads((tmp_path / WORLDS_FILE).read_text())["scenes"] == GROUP
    again = Recorder()
    draw(tmp_path, worlds, 1, Reporter([again], lambda: 0.0))
    assert [event.event for event in again.events] == ["start", "done"]
    # One that is lost is drawn again, bit for bit, and its group with it.
    paths[2].unlink()
    draw(tmp_path, worlds, 1, quiet())
    assert [path.read_bytes() for path in paths] == before
    assert read_scene(paths[0]).twin == 1
