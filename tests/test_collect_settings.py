"""What a data folder holds, and what a later run may change."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from hpvqa import __version__
from hpvqa.collect.settings import COLLECTION_FILE, Collection, agree, installed_versions, read_collection
from hpvqa.errors import UsageError
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.sim.render import FIRST, VERSION
from hpvqa.tasks import TASKS
from tests.collect_fakes import VERSIONS, collection


def join(data: Path, wanted: Collection, *, replace: bool = False) -> list[str]:
    warnings: list[str] = []
    agree(data, wanted, replace=replace, warn=warnings.append)
    return warnings


def test_it_says_everything_that_decides_an_episode(tmp_path: Path) -> None:
    wanted = collection(
        video=True,
        resolution=(224, 224),
        tasks={"push": {"fps": 10, "ranges": {"light_mass": [0.5, 0.6]}}},
    )
    assert join(tmp_path, wanted) == []
    found = json.loads((tmp_path / COLLECTION_FILE).read_text())
    assert found["schema_version"] == 1
    assert (found["backend"], found["seed"], found["rig"]) == ("mujoco", 42, "paper")
    assert (found["video"], found["resolution"]) == (True, [224, 224])
    assert found["tasks"]["push"]["fps"] == 10
    assert found["tasks"]["push"]["ranges"] == {"light_mass": [0.5, 0.6], "heavy_mass": [3.0, 5.0]}
    assert [len(task["cameras"]) for task in found["tasks"].values()] == [7, 7]
    assert found["versions"] == VERSIONS
    assert read_collection(tmp_path) == wanted


def test_its_specs_are_those_of_the_sampler() -> None:
    rig = load_rig("paper")
    chosen = collection(seed=5, randomization={"object_colors": "independent"})
    for task, index, attempt in (("push", 3, 0), ("drop", 0, 2)):
        expected = sample_episode(
            TASKS[task],
            TASKS[task].ranges(),
            chosen.randomization,
            rig.name,
            rig.cameras(task),
            seed=5,
            index=index,
            attempt=attempt,
        )
        assert chosen.spec(task, index, attempt) == expected


@pytest.mark.parametrize(
    ("other", "words"),
    [
        ({"seed": 7}, ["seed is 42 there and 7 here"]),
        (
            {"video": True, "resolution": (64, 64)},
            ["video is false there and true here", "resolution is null there and 64x64 here"],
        ),
        ({"rig": "paper-original"}, ['rig is "paper" there and "paper-original" here', "tasks.drop.cameras differ"]),
        ({"tasks": {"push": {"fps": 30}}}, ["tasks.push.fps is 15 there and 30 here"]),
        (
            {"tasks": {"drop": {"ranges": {"restitution_gap": 0.3}}}},
            ["tasks.drop.ranges.restitution_gap is 0.2 there and 0.3 here"],
        ),
        (
            {"randomization": {"start_jitter": 0.0}, "seed": 1},
            ["randomization.start_jitter is 0.01 there and 0.0 here", "seed is 42 there and 1 here"],
        ),
    ],
)
def test_other_settings_are_refused_by_name(other: dict[str, object], words: list[str], tmp_path: Path) -> None:
    join(tmp_path, collection())
    before = (tmp_path / COLLECTION_FILE).read_bytes()
    with pytest.raises(UsageError) as caught:
        join(tmp_path, collection(**other))
    assert all(word in str(caught.value) for word in words)
    assert (tmp_path / COLLECTION_FILE).read_bytes() == before
    join(tmp_path, collection(**other), replace=True)
    assert read_collection(tmp_path) == collection(**other)


def test_a_changed_camera_of_a_rig_of_the_same_name_is_refused(tmp_path: Path) -> None:
    settings = collection("push")
    join(tmp_path, settings)
    push = settings.tasks["push"]
    moved = push.cameras[0].model_copy(update={"focal_length": 25.0})
    other = push.model_copy(update={"cameras": (moved, *push.cameras[1:])})
    with pytest.raises(UsageError, match=r"other settings: tasks\.push\.cameras differ\."):
        join(tmp_path, settings.model_copy(update={"tasks": {"push": other}}))


def test_tasks_may_be_added_later(tmp_path: Path) -> None:
    join(tmp_path, collection("drop"))
    join(tmp_path, collection("push"))
    join(tmp_path, collection("drop"))
    assert read_collection(tmp_path) == collection("push", "drop")
    with pytest.raises(UsageError, match="seed"):
        join(tmp_path, collection("push", seed=1))


def test_other_versions_are_a_warning(tmp_path: Path) -> None:
    join(tmp_path, collection())
    newer = collection(versions={**VERSIONS, "numpy": "2.1", "av": "14"})
    (warning,) = join(tmp_path, newer)
    assert warning.startswith("numpy is 2.0 in the episodes of ")
    assert "2.1 here" in warning
    found = read_collection(tmp_path)
    assert found is not None
    assert found.versions == VERSIONS


def test_a_folder_of_mujocos_own_pictures_warns_of_others(tmp_path: Path) -> None:
    join(tmp_path, collection())
    (warning,) = join(tmp_path, collection(versions={**VERSIONS, "renderer": VERSION}))
    assert warning.startswith(f"renderer is {FIRST} in the episodes of ")
    assert f"{VERSION} here" in warning


def test_installed_versions_name_what_is_there() -> None:
    found = installed_versions("mujoco", ["push"])
    assert found["hpvqa"] == __version__
    assert found["renderer"] == VERSION
    assert "renderer" not in installed_versions("isaac", ["push"])
    assert {"numpy", "av", "pyarrow"} <= set(found)


def test_a_task_that_is_added_brings_its_own_version(tmp_path: Path) -> None:
    join(tmp_path, collection())
    more = collection(versions={**VERSIONS, "flick": "0.3"})
    tasks = {**more.tasks, "weigh": next(iter(more.tasks.values()))}
    join(tmp_path, more.model_copy(update={"tasks": tasks}))
    found = read_collection(tmp_path)
    assert found is not None
    assert found.versions == {**VERSIONS, "flick": "0.3"}


@pytest.mark.parametrize("text", ["", "{}", '{"schema_version": 2}', "[1]"])
def test_a_damaged_file_is_named(text: str, tmp_path: Path) -> None:
    (tmp_path / COLLECTION_FILE).write_text(text)
    with pytest.raises(UsageError, match=r"hpvqa\.json is not what this version writes"):
        join(tmp_path, collection(), replace=True)
