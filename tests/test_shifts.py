"""Shifts: each changes one thing of every episode, all goes well in it, and no model is ever trained on it."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from hpvqa.collect.remember import remembered
from hpvqa.collect.settings import Collection, differences
from hpvqa.commands.collect import episode_counts
from hpvqa.dataset.build import build
from hpvqa.dataset.load import open_dataset
from hpvqa.errors import UsageError
from hpvqa.finetune.rows import training_rows
from hpvqa.recipe import Recipe, load_recipe, recipe_names
from hpvqa.scene.color import delta_e
from hpvqa.scene.shift import Shift
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.tasks import TASKS
from hpvqa.vlm.prompt import load_prompt
from tests.build_data import hpvqa
from tests.factories import make_data, quiet
from tests.needs import long_but
from tests.worlds import run

CHANGES = {
    "views": {"rig", "cameras"},
    "light": {"light"},
    "colours": {"color"},
    "range": {"hidden"},
    "friction": {"friction"},
}
RECIPES = {shift: load_recipe(f"shift-{shift}") for shift in CHANGES}
FITTING = [(shift, task) for shift, recipe in RECIPES.items() for task in TASKS if task not in recipe.left_out]
everywhere = pytest.mark.parametrize(("shift", "task"), FITTING)


# Cheap enough to be made by each worker, unlike what @cache alone says to tests/needs.py.
@functools.cache
def collection(shift: str | None, task: str) -> Collection:
    recipe = Recipe() if shift is None else RECIPES[shift]
    return Collection.of(recipe.model_copy(update={"seed": 11}), [task], {})


def pair(shift: str, task: str, index: int) -> tuple[EpisodeSpec, EpisodeSpec]:
    """The usual episode and that of a shift."""
    return collection(None, task).spec(task, index), collection(shift, task).spec(task, index)


def changed(usual: EpisodeSpec, shifted: EpisodeSpec) -> set[str]:
    """Names of the fields that differ, those of things among them."""
    a, b = (spec.model_dump() for spec in (usual, shifted))
    found = {name for name in a.keys() | b.keys() if name != "things" and a.get(name) != b.get(name)}
    for one, other in zip(a["things"], b["things"], strict=True):
        found |= {name for name in one if one[name] != other[name]}
    return found - {"shift"}


def test_all_of_them_come_with_the_package() -> None:
    assert {name for name in recipe_names() if name.startswith("shift-")} == {f"shift-{shift}" for shift in CHANGES}
    assert {task for shift, task in FITTING if shift != "friction"} == set(TASKS)


@everywhere
def test_a_shift_changes_one_thing_of_an_episode(shift: str, task: str) -> None:
    wanted = {TASKS[task].hidden if name == "hidden" else name for name in CHANGES[shift]}
    for index in range(8):
        usual, shifted = pair(shift, task, index)
        assert changed(usual, shifted) == wanted
        assert (usual.shift, shifted.shift) == (None, shift)
        assert TASKS[task].answer(usual) == TASKS[task].answer(shifted)
        assert EpisodeSpec.model_validate_json(shifted.model_dump_json()) == shifted


def test_usual_episodes_are_written_as_ever() -> None:
    usual, shifted = pair("views", "push", 0)
    assert "shift" not in usual.model_dump_json()
    assert '"shift":"views"' in shifted.model_dump_json()


@pytest.mark.parametrize("task", TASKS)
def test_hidden_values_are_outside_of_the_usual_and_keep_their_rank(task: str) -> None:
    kind = TASKS[task]
    values = np.array([[sorted(kind.values(spec).values()) for spec in pair("range", task, k)] for k in range(24)])
    usual, beyond = np.abs(values[:, 0]), np.abs(values[:, 1])
    assert kind.beyond is not None
    if len(usual[0]) == 2:
        assert kind.ranges().possible(usual[:, 0], usual[:, 1]).all()
        assert not kind.ranges().possible(beyond[:, 0], beyond[:, 1]).any()
    for thing in range(values.shape[2]):
        assert (np.argsort(usual[:, thing]) == np.argsort(beyond[:, thing])).all()


def test_vivid_colours_are_never_drawn_otherwise() -> None:
    seen = []
    for index in range(24):
        usual, shifted = pair("colours", "push", index)
        left, right = (shifted.thing(side).color for side in ("left", "right"))
        for color in (left, right):
            assert all(channel < 0.1 or channel > 0.9 for channel in color)
            assert delta_e(color, shifted.room.table) >= 50
        assert delta_e(left, right) >= 50
        assert usual.thing("left").color == usual.thing("right").color
        seen.append(left)
    assert len(set(seen)) == len(seen)


@pytest.mark.parametrize(
    "which", long_but([which for which in FITTING if which[0] in ("range", "friction")], ("friction", "push"))
)
def test_physics_hold(which: tuple[str, str]) -> None:
    shift, task = which
    _, spec = pair(shift, task, 1)
    done = run(spec)
    assert done.outcome.ok, done.outcome.reason


def test_a_task_without_sense_for_a_shift_is_left_out_in_a_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = load_recipe("shift-friction")
    assert set(recipe.left_out) == {"drop", "slide", "press"}
    assert set(episode_counts(recipe, (), ())) == {"push", "weigh", "balance"}
    assert hpvqa("collect", "drop", "--recipe", "shift-friction", "--out", tmp_path / "data") == 2
    error = capsys.readouterr().err
    assert "The shift friction is not for drop: friction shows in nothing that is seen" in " ".join(error.split())
    assert not (tmp_path / "data").exists()


def test_a_task_that_says_nothing_of_it_is_left_out_of_ranges(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(type(TASKS["push"]), "beyond", None)
    recipe = load_recipe("shift-range")
    assert list(recipe.left_out) == ["push"]
    with pytest.raises(UsageError, match="not for push: it has no hidden values outside of the usual ones"):
        Collection.of(recipe, ["push"], {})


def test_a_folder_remembers_its_shift_and_holds_no_other_episodes(tmp_path: Path) -> None:
    shifted = Collection.of(load_recipe("shift-range"), ["push"], {})
    again = Collection.of(remembered(Recipe(), tmp_path, shifted, ["push"]), ["push"], {})
    assert again == shifted
    usual = Collection.of(Recipe(), ["push"], {})
    assert any("shift.name" in words for words in differences(usual, shifted))
    assert Collection.model_validate_json(usual.model_dump_json(exclude={"shift"})) == usual


def test_ranges_that_are_written_out_as_always_are_shifted_too() -> None:
    ranges = TASKS["push"].ranges().model_dump()
    form = {"shift": {"name": "range", "values": "beyond"}, "tasks": {"push": {"ranges": ranges}}}
    assert Recipe.model_validate(form).ranges("push") == TASKS["push"].beyond
    assert Recipe.model_validate(form | {"shift": {"values": "usual"}}).ranges("push") == TASKS["push"].ranges()


def test_a_shift_whose_change_is_taken_back_is_refused(tmp_path: Path) -> None:
    recipe = load_recipe("shift-views").model_copy(update={"rig": "paper"})
    with pytest.raises(UsageError, match="shift views would change nothing: rig paper"):
        Collection.of(recipe, ["push"], {})
    # With another rig it does change something.
    Collection.of(recipe.model_copy(update={"rig": "close"}), ["push"], {})
    assert hpvqa("collect", "push", "--recipe", "shift-views", "--rig", "paper", "--out", tmp_path / "data") == 2
    assert not (tmp_path / "data").exists()


def test_a_recipe_of_ones_own_can_be_a_shift() -> None:
    recipe = Recipe.model_validate({"shift": {"name": "dim"}, "randomization": {"light_z": [0.5, 0.6]}})
    assert Collection.of(recipe, ["push"], {}).spec("push", 0).shift == "dim"
    with pytest.raises(ValueError, match="pattern"):
        Shift(name="No name")
    with pytest.raises(ValueError, match="needs a name"):
        Shift(colors="vivid")


@pytest.fixture(scope="module")
def dark(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_data(tmp_path_factory.mktemp("shifted") / "dark", push=8, shift="dark")


def test_all_of_a_shift_is_for_evaluation(dark: Path, tmp_path: Path) -> None:
    made = build(dark, tmp_path / "dataset", quiet(), recipe=load_recipe("paper"))
    dataset = open_dataset(tmp_path / "dataset")
    assert dataset.rows("train") == []
    assert {row.shift for row in dataset.rows("eval")} == {"dark"}
    assert len({row.cluster for row in dataset.rows("eval")}) == 8
    assert made.notes == ("All episodes are for evaluation: the shift dark is for testing only",)
    assert "Train no model on them" in (tmp_path / "dataset/README.md").read_text()


def test_usual_data_sets_do_not_mention_shifts(tmp_path: Path) -> None:
    build(make_data(tmp_path / "data", push=4), tmp_path / "dataset", quiet(), recipe=Recipe())
    for file in ("README.md", "train/metadata.jsonl"):
        assert "shift" not in (tmp_path / "dataset" / file).read_text()


@pytest.mark.parametrize("other", [None, "bright"])
def test_a_shift_is_not_built_with_anything_else(dark: Path, other: str | None, tmp_path: Path) -> None:
    data = make_data(tmp_path / "other", seed=4, drop=4, shift=other)
    words = "the usual episodes" if other is None else "the shift bright"
    with pytest.raises(UsageError, match=f"the shift dark, and .* {words}; build each into a data set of its own"):
        build([dark, data], tmp_path / "dataset", quiet(), recipe=Recipe())
    assert not (tmp_path / "dataset").exists()


def test_no_model_is_trained_on_it(dark: Path, tmp_path: Path) -> None:
    build(dark, tmp_path / "dataset", quiet(), recipe=Recipe())
    dataset: Any = open_dataset(tmp_path / "dataset")
    with pytest.raises(UsageError, match="of the shift dark, which is for testing only; train on a data set without"):
        training_rows(dataset, load_prompt("paper"), validation=0.1, seed=0)
