"""A data folder remembers the options of its first run: what a later one does not name is the folder's own."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.collect.remember import binding, remembered
from hpvqa.collect.settings import COLLECTION_FILE, Collection, agree, check_agrees, read_collection
from hpvqa.collect.shard import Shard
from hpvqa.commands.options import override
from hpvqa.errors import UsageError
from hpvqa.recipe import Recipe, validate_recipe
from tests.collect_fakes import VERSIONS, command
from tests.patience import PATIENCE

pytestmark = pytest.mark.slow

DATA = Path("data")
CAMERA = {"name": "top", "position": [1, 0, 3], "look_at": [0.45, 0, 0], "focal_length": 20.0}
SETTINGS = {
    "seed": st.integers(0, 2**63 - 1),
    "resolution": st.sampled_from([[64, 64], [224, 224]]),
    "depth": st.booleans(),
    "segmentation": st.booleans(),
    "rig": st.sampled_from(
        ["paper", "paper-original", {"name": "mine", "tasks": {"push": [CAMERA], "drop": [CAMERA]}}]
    ),
    "randomization": st.fixed_dictionaries({}, optional={"start_jitter": st.just(0.0), "light_x": st.just([0.0, 1.0])}),
    "tasks": st.just({"push": {"fps": 30, "ranges": {"light_mass": [0.5, 0.6]}}, "drop": {"fps": 20}}),
}
recipes = st.fixed_dictionaries({}, optional=SETTINGS)


def collection(recipe: Recipe, *tasks: str) -> Collection:
    return Collection.of(recipe, tasks, VERSIONS)


@given(recipes, st.data())
def test_a_run_that_names_some_of_the_settings_or_none_goes_on(first: dict[str, object], data: st.DataObject) -> None:
    begun = validate_recipe(first, "it")
    found = collection(begun, "push", "drop")
    some = {name: value for name, value in first.items() if data.draw(st.booleans())}
    again = remembered(validate_recipe(some, "it"), DATA, found, ("push", "drop"))
    assert collection(again, "push", "drop") == found


@given(recipes, recipes)
def test_what_is_given_is_never_overridden(first: dict[str, object], second: dict[str, object]) -> None:
    found = collection(validate_recipe(first, "it"), "push", "drop")
    wanted = validate_recipe(second, "it")
    merged = remembered(wanted, DATA, found, ("push", "drop"))
    for name in second.keys() & {"seed", "resolution", "rig"}:
        assert getattr(merged, name) == getattr(wanted, name)
    for name in wanted.randomization.model_fields_set:
        assert getattr(merged.randomization, name) == getattr(wanted.randomization, name)


def test_one_other_option_is_the_one_that_is_named() -> None:
    found = collection(override(Recipe(), {"resolution": (224, 224), "seed": 7, "fps": 30}), "push")
    again = remembered(override(Recipe(), {"resolution": (64, 64)}), DATA, found, ("push",))
    with pytest.raises(
        UsageError,
        match=r"settings: resolution is 224x224 there and 64x64 here\. What is left out .* leave it out, or choose",
    ):
        check_agrees(DATA, found, collection(again, "push"))


def test_options_that_are_given_are_told_from_defaults() -> None:
    assert override(Recipe(), {"seed": None, "fps": None}).model_fields_set == set()
    assert override(validate_recipe({"seed": 42}, "it"), {"rig": "paper"}).model_fields_set == {"seed", "rig"}
    assert override(Recipe(), {"object_colors": "shared"}).randomization.model_fields_set == {"object_colors"}


def test_a_task_may_be_added_with_the_settings_of_the_others() -> None:
    found = collection(validate_recipe({"seed": 3, "rig": "paper-original"}, "it"), "push")
    added = collection(remembered(Recipe(), DATA, found, ("drop",)), "drop")
    assert (added.seed, added.rig, list(added.tasks)) == (3, "paper-original", ["drop"])
    check_agrees(DATA, found, added)


def test_a_task_without_cameras_in_the_rig_of_the_folder_is_refused() -> None:
    found = collection(validate_recipe({"rig": {"name": "mine", "tasks": {"push": [CAMERA]}}}, "it"), "push")
    with pytest.raises(UsageError, match="The rig 'mine' has no cameras for 'drop'"):
        collection(remembered(Recipe(), DATA, found, ("drop",)), "drop")


def test_a_changed_rig_of_a_shipped_name_stays_as_it_was() -> None:
    found = collection(validate_recipe({"rig": {"name": "paper", "tasks": {"push": [CAMERA]}}}, "it"), "push")
    assert collection(remembered(Recipe(), DATA, found, ("push",)), "push") == found


def test_a_resolution_for_episodes_without_clips_is_refused() -> None:
    found = collection(override(Recipe(), {"video": False}), "push")
    with pytest.raises(UsageError, match="have no clips and so no resolution"):
        remembered(override(Recipe(), {"resolution": (64, 64)}), DATA, found, ("push",))


def test_only_episodes_or_other_shards_bind(tmp_path: Path) -> None:
    assert binding(tmp_path, Shard(1, 2)) is None
    begun = collection(Recipe(), "push")
    agree(tmp_path, begun, replace=True, warn=print)
    assert binding(tmp_path, None) is None
    assert binding(tmp_path, Shard(1, 2)) == begun


def collect(out: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command("quick", "collect", "--out", str(out), *args), capture_output=True, text=True, timeout=PATIENCE
    )


@pytest.mark.long
def test_the_command_goes_on_without_its_options(tmp_path: Path) -> None:
    out = tmp_path / "data"
    first = collect(out, "push", "--episodes", "1", "--resolution", "64x64", "--fps", "5", "--seed", "9")
    assert first.returncode == 0, first.stderr
    begun = read_collection(out)
    # Without the task, too: it is the folder's.
    again = collect(out, "--episodes", "2", "--json")
    assert again.returncode == 0, again.stderr
    assert {name: task["made"] for name, task in json.loads(again.stdout)["tasks"].items()} == {"push": 1}
    assert read_collection(out) == begun
    other = collect(out, "push", "--episodes", "2", "--fps", "6")
    assert other.returncode == 2
    assert "tasks.push.fps is 5 there and 6 here" in other.stderr
    assert "seed" not in other.stderr
    (out / COLLECTION_FILE).write_text("{")
    assert "is not what this version writes" in collect(out, "push").stderr


def test_environments_are_for_isaac_sim(tmp_path: Path) -> None:
    done = collect(tmp_path / "data", "push", "--num-envs", "4")
    assert done.returncode == 2
    assert "--num-envs is for Isaac Sim; with the embedded simulator, give --workers" in done.stderr
    assert not (tmp_path / "data").exists()


def test_where_isaac_computes_is_for_isaac(tmp_path: Path) -> None:
    done = collect(tmp_path / "data", "push", "--physics", "ovphysx")
    assert done.returncode == 2
    assert "--physics is for Isaac Lab; give --backend isaac, or leave it out" in done.stderr
    assert not (tmp_path / "data").exists()
