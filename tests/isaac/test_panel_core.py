"""What the panel knows without a window: fields, job, YAML, cameras, progress, command, episodes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.recipe import Recipe, load_recipe, validate_recipe
from hpvqa.scene.rigs import Rig, load_rig, rig_names
from hpvqa.schema import json_schema
from hpvqa.tasks import TASKS
from hpvqa_collector.check import checked, parsed
from hpvqa_collector.command import clean_environment, find_command
from hpvqa_collector.episodes import newest_episodes
from hpvqa_collector.errors import BadInputError
from hpvqa_collector.fields import Field, UnknownSchemaError, camera_fields, recipe_fields, tasks_of
from hpvqa_collector.job import Job
from hpvqa_collector.progress import Progress, ProgressFile, duration, size
from hpvqa_collector.rig import CameraTable
from hpvqa_collector.yaml_text import to_yaml
from tests.factories import make_data
from tests.isaac.kit.services import EXTENSION
from tests.isaac.panel_fixtures import SCHEMA
from tests.patience import PATIENCE

# ---------------------------------------------------------------- the form is that of the schema


def test_the_extension_ships_the_schema_of_this_version() -> None:
    assert json_schema("recipe") == SCHEMA, "the recipe has changed: run make schemas"


def test_every_setting_of_a_recipe_has_a_field_with_its_own_words() -> None:
    fields = {field.path: field for field in recipe_fields(SCHEMA)}
    assert {path[0] for path in fields} == set(Recipe.model_fields)
    for name, task in TASKS.items():
        ranges = {path[3] for path in fields if path[:3] == ("tasks", name, "ranges")}
        assert ranges == set(task.ranges.model_fields)
    assert fields["seed",].description == Recipe.model_fields["seed"].description
    assert fields["randomization", "start_jitter"].maximum == 0.02
    assert fields["tasks", "drop", "fps"].optional
    assert all(field.description for field in fields.values())
    assert [task.name for task in tasks_of(SCHEMA)] == list(TASKS)


def test_a_kind_of_setting_that_has_no_control_is_an_error() -> None:
    schema = json.loads(json.dumps(SCHEMA))
    schema["properties"]["seed"] = {"type": "object", "description": "A mapping."}
    with pytest.raises(UnknownSchemaError, match="no control for seed"):
        recipe_fields(schema)


def test_the_package_imports_nothing_of_kit_or_ours() -> None:
    code = (
        "import sys, pkgutil, importlib, hpvqa_collector as p\n"
        "for m in pkgutil.iter_modules(p.__path__):\n"
        "    if m.name not in ('ui', 'preview', 'replay', 'tests'):\n"
        "        importlib.import_module('hpvqa_collector.' + m.name)\n"
        "top = {name.split('.')[0] for name in sys.modules}\n"
        "print(sorted(top & {'omni', 'carb', 'pxr', 'hpvqa', 'yaml', 'numpy', 'pydantic', 'torch'}))\n"
    )
    done = subprocess.run(
        [sys.executable, "-S", "-c", code],
        capture_output=True,
        text=True,
        env={"PYTHONPATH": str(EXTENSION)},
        timeout=PATIENCE,
    )
    assert done.stdout.strip() == "[]", done.stderr


# ---------------------------------------------------------------- values


def field(kind: str, **more: Any) -> Field:
    return Field(("x",), "It", "What it is.", kind, None, **more)


@pytest.mark.parametrize(
    ("one", "value", "sentence"),
    [
        (field("integer", minimum=1), 0, "It must be at least 1, not 0"),
        (field("integer"), 1.5, r"It is a whole number, not 1\.5"),
        (field("number", maximum=0.02), 0.5, r"It must be at most 0\.02, not 0\.5"),
        (field("number"), float("nan"), "It is a number, not nan"),
        (field("number"), "x", "It is a number, not 'x'"),
        (field("range"), [2, 1], "It goes from low to high, not from 2 to 1"),
        (field("size"), [63, 48], "It needs an even width and height, not 63x48"),
        (field("vector"), [1, 2], "It has 3 values, not 2"),
        (field("choice", choices=("a", "b")), "c", "It is one of a, b, not 'c'"),
        (field("number"), None, "It must be given"),
    ],
)
def test_a_value_that_does_not_fit_is_one_sentence(one: Field, value: object, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        checked(one, value)


def test_typed_values_may_be_left_open() -> None:
    assert parsed(field("integer", optional=True), "  ") is None
    assert parsed(field("integer", optional=True), " 30 ") == 30
    assert parsed(field("integer"), str(2**63 - 1)) == 2**63 - 1
    with pytest.raises(BadInputError, match="It is a whole number, not 'thirty'"):
        parsed(field("integer", optional=True), "thirty")


# ---------------------------------------------------------------- the job


def test_an_untouched_job_is_the_default_recipe_with_all_tasks() -> None:
    recipe = validate_recipe(Job(SCHEMA).recipe(), "the job")
    assert recipe.model_dump(exclude={"tasks"}) == Recipe().model_dump(exclude={"tasks"})
    assert list(recipe.named_tasks()) == list(TASKS)


def test_a_job_is_saved_and_loaded_without_loss() -> None:
    job, others = Job(SCHEMA), [name for name in TASKS if name != "push"]
    job.set(("seed",), 7)
    job.set(("tasks", "push", "fps"), 5)
    job.set(("tasks", "push", "ranges", "light_mass"), [0.25, 0.5])
    for name in others:
        job.set_active(name, active=False)
    recipe = validate_recipe(yaml.safe_load(to_yaml(job.recipe())), "the job")
    assert (recipe.seed, list(recipe.named_tasks()), recipe.fps("push")) == (7, ["push"], 5)
    again = Job(SCHEMA)
    again.load(recipe.model_dump(mode="json"))
    assert again.recipe() == job.recipe()
    assert again.active == {name: name == "push" for name in TASKS}


@pytest.mark.parametrize("name", ["paper", "demo"])
def test_shipped_recipes_pass_through_the_panel_unchanged(name: str) -> None:
    job = Job(SCHEMA)
    job.load(load_recipe(name).model_dump(mode="json"))
    assert validate_recipe(yaml.safe_load(to_yaml(job.recipe())), "it") == load_recipe(name)


def test_reset_concerns_what_is_named_alone() -> None:
    job = Job(SCHEMA)
    job.set(("seed",), 7)
    job.set(("randomization", "start_jitter"), 0.0)
    job.reset(("randomization",))
    assert (job.get(("seed",)), job.get(("randomization", "start_jitter"))) == (7, 0.01)


def test_a_recipe_that_does_not_fit_changes_nothing() -> None:
    job = Job(SCHEMA)
    before = job.recipe()
    with pytest.raises(BadInputError, match="Start jitter must be at most"):
        job.load({"seed": 9, "randomization": {"start_jitter": 1.0}})
    assert job.recipe() == before


def test_one_task_stays() -> None:
    job = Job(SCHEMA)
    *others, last = TASKS
    for name in others:
        job.set_active(name, active=False)
    with pytest.raises(BadInputError, match="At least one task is needed"):
        job.set_active(last, active=False)


scalars = st.one_of(
    st.integers(), st.floats(allow_nan=False, allow_infinity=False), st.booleans(), st.none(), st.text(max_size=8)
)
keys = st.text(st.characters(codec="ascii", categories=("Ll", "Nd")), min_size=1, max_size=6)
trees = st.recursive(scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(keys, inner, max_size=4))


@given(st.dictionaries(keys, trees, max_size=5))
@pytest.mark.slow
def test_yaml_reads_what_was_written(data: dict[str, Any]) -> None:
    assert (yaml.safe_load(to_yaml(data, "A comment")) or {}) == data


# ---------------------------------------------------------------- cameras


def table(name: str = "paper") -> CameraTable:
    return CameraTable(camera_fields(SCHEMA), load_rig(name).model_dump(mode="json"))


@pytest.mark.parametrize("name", rig_names())
def test_an_untouched_table_is_its_rig(name: str) -> None:
    assert Rig.model_validate(yaml.safe_load(to_yaml(table(name).rig()))) == load_rig(name)


def test_cameras_are_switched_changed_added_and_removed() -> None:
    rows = table()
    rows.set_on("push", "back_wide", on=False)
    rows.change("push", "front_top_narrow", "focal_length", 35)
    rows.change("push", "front_top_narrow", "quat_wxyz", [1, 0, 0, 0])
    rows.change("push", "front_top_narrow", "name", "above")
    camera = {"name": "MyCamera 1", "position": [1, 1, 1], "quat_wxyz": [1, 0, 0, 0], "focal_length": 18.0, "near": 0.1}
    assert rows.add("push", camera) == "my_camera_1"
    assert rows.add("push", camera) == "my_camera_1_2"
    rows.remove("push", "my_camera_1_2")
    rig = Rig.model_validate(rows.rig())
    cameras = {camera.name: camera for camera in rig.cameras("push")}
    assert rig.name == "paper-edited"
    assert len(cameras) == 7
    assert "back_wide" not in cameras
    assert cameras["above"].focal_length == 35
    assert cameras["above"].quat_wxyz == (1, 0, 0, 0)
    assert cameras["my_camera_1"].near == 0.1
    again = CameraTable.restored(camera_fields(SCHEMA), json.loads(json.dumps(rows.stored())))
    assert again.rig() == rows.rig()
    assert ("back_wide", False) in [(camera["name"], on) for camera, on in again.rows("push")]


@pytest.mark.parametrize(
    ("key", "value", "sentence"),
    [
        ("name", "back_wide", "There is a camera 'back_wide' already"),
        ("name", "Back Wide", "A camera's name has small letters"),
        ("focal_length", 0, "Focal length must be greater than 0, not 0"),
    ],
)
def test_a_camera_cannot_become_impossible(key: str, value: object, sentence: str) -> None:
    with pytest.raises(BadInputError, match=sentence):
        table().change("push", "front_top_narrow", key, value)


def test_one_camera_stays_on() -> None:
    rows = table()
    names = [camera["name"] for camera, _ in rows.rows("drop")]
    for name in names[:-1]:
        rows.remove("drop", name)
    with pytest.raises(BadInputError, match="At least one camera of drop must be on"):
        rows.remove("drop", names[-1])


# ---------------------------------------------------------------- progress


def lines(*events: dict[str, Any]) -> bytes:
    return b"".join(json.dumps(event).encode() + b"\n" for event in events)


START = {
    "time": 100.0,
    "event": "start",
    "version": 1,
    "activity": "collect",
    "unit": "episodes",
    "total": 10,
    "done": 2,
}


def item(done: int, time: float = 110.0, ok: bool = True, tries: int = 1, message: str | None = None) -> dict[str, Any]:
    name = f"push/000/episode-{done:06d}"
    more = {"ok": ok, "tries": tries, "message": message, "done": done, "total": 10}
    return {"time": time, "event": "item", "name": name, **more}


@given(st.lists(st.integers(1, 40), max_size=12))
def test_events_are_read_whole_however_they_arrive(cuts: list[int]) -> None:
    import tempfile

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "progress.jsonl"
        text, found = lines(START, *(item(done) for done in range(3, 11))), []
        follower = ProgressFile(path)
        assert follower.new_events() == []
        with path.open("wb", buffering=0) as file:
            for cut in [*cuts, len(text)]:
                piece, text = text[:cut], text[cut:]
                file.write(piece)
                found += follower.new_events()
        assert [event.get("done") for event in found] == [2, 3, 4, 5, 6, 7, 8, 9, 10][: len(found)]
        assert len(found) == 9


def test_progress_adds_up_and_estimates() -> None:
    progress = Progress()
    assert progress.remaining(0.0) is None
    for event in (START, item(3), item(4, 120.0, ok=False, tries=3, message="the left cube was not touched")):
        progress.take(event)
    assert (progress.done, progress.failed, progress.fraction) == (4, 1, 0.4)
    assert progress.remaining(120.0) == pytest.approx(60.0)
    assert progress.problem == "push/000/episode-000004 failed: the left cube was not touched"
    progress.take({"time": 121.0, "event": "frames", "frames": 90, "per_second": 30.0})
    progress.take({"time": 122.0, "event": "something new"})
    assert progress.frames_per_second == 30.0
    progress.take({"time": 123.0, "event": "done", "status": "interrupted", "message": None, "done": 4, "total": 10})
    assert (progress.status, progress.remaining(130.0)) == ("interrupted", None)


def test_numbers_in_words() -> None:
    assert [duration(value) for value in (0.2, 60, 600, 7200)] == ["1 s", "60 s", "10 min", "2.0 h"]
    assert [size(value) for value in (5e4, 5e6, 5e9, 5e12)] == ["50 kB", "5.0 MB", "5.0 GB", "5.0 TB"]


# ---------------------------------------------------------------- the command, and its environment


def test_the_command_is_the_named_one_else_the_extensions_else_kits_else_on_the_path(tmp_path: Path) -> None:
    extension = tmp_path / "checkout" / "exts" / "hpvqa.collector"
    own = str((tmp_path / "checkout").resolve() / ".venv" / "bin" / "hpvqa")

    def which(*there: str) -> Any:
        return lambda name: (
            f"/bin/{name}" if name in {"python", "hpvqa"} and name in there else name if name in there else None
        )

    assert find_command("python -m hpvqa", extension, which("python")) == ["/bin/python", "-m", "hpvqa"]
    assert find_command("", extension, which("hpvqa", own)) == [own]
    assert find_command("", extension, which("hpvqa")) == ["/bin/hpvqa"]
    kits = str(Path(sys.prefix) / "bin" / "hpvqa")
    assert find_command("", extension, which("hpvqa", kits)) == [kits]
    installed = tmp_path / "env" / "lib" / "python3.11" / "site-packages" / "hpvqa" / "exts" / "hpvqa.collector"
    beside = str((tmp_path / "env").resolve() / "bin" / "hpvqa")
    assert find_command("", installed, which("hpvqa", kits, beside)) == [beside]
    with pytest.raises(BadInputError, match="The hpvqa command was not found; run make"):
        find_command("", extension, which())
    with pytest.raises(BadInputError, match="There is no program 'nothing'"):
        find_command("nothing at all", extension, which("hpvqa"))


def test_nothing_of_kits_python_reaches_the_child() -> None:
    cleaned = clean_environment(
        {
            "PATH": "/usr/bin",
            "PYTHONPATH": "/kit/python",
            "PYTHONHOME": "/kit/python",
            "CARB_APP_PATH": "/kit",
            "ISAAC_PATH": "/isaac",
            "LD_LIBRARY_PATH": "/kit/plugins:/usr/lib/nvidia:/isaac/libs:/kitchen",
            "LD_PRELOAD": "/kit/libcarb.so",
            "OMNI_KIT_ACCEPT_EULA": "YES",
            "HPVQA_API_KEY": "secret",
        }
    )
    assert cleaned == {
        "PATH": "/usr/bin",
        "ISAACSIM_PATH": "/isaac",
        "LD_LIBRARY_PATH": "/usr/lib/nvidia:/kitchen",
        # What the user has set for every Kit, the child's among them.
        "OMNI_KIT_ACCEPT_EULA": "YES",
        "HPVQA_API_KEY": "secret",
        "PYTHONUNBUFFERED": "1",
    }


# ---------------------------------------------------------------- episodes


def test_the_newest_episodes_come_first_and_failed_ones_say_why(tmp_path: Path) -> None:
    import os

    data = make_data(tmp_path / "data", push=3, drop=1, failed=[("push", 1)])
    for number, folder in enumerate(["push/000/episode-000002", "drop/000/episode-000000", "push/000/episode-000001"]):
        os.utime(data / folder / "episode.json", (2e9 + number, 2e9 + number))
    (data / "push" / "000" / "episode-000000" / "episode.json").write_text("{damaged")
    found = newest_episodes(data, 8)
    assert [episode.name for episode in found] == ["push 1", "drop 0", "push 2"]
    assert (found[0].ok, found[0].reason) == (False, "made to fail")
    assert found[1].ok
    assert len(found[1].cameras) == 2
    assert len(newest_episodes(data, 2)) == 2
    assert newest_episodes(tmp_path / "nothing", 8) == []


def test_an_episode_without_clips_says_so(tmp_path: Path) -> None:
    (episode,) = newest_episodes(make_data(tmp_path / "data", push=1, video=False), 8)
    assert episode.cameras == ()
