"""The panel under a strict stand-in of Kit, with the real hpvqa behind it: build, edit, save, load, refuse, reload."""

from __future__ import annotations

import importlib
import json
import unittest
from pathlib import Path
from typing import Any

import pytest
import yaml

from hpvqa.recipe import load_recipe
from hpvqa.scene.rigs import load_rig
from hpvqa.tasks import TASKS
from tests.isaac.conftest import Opens
from tests.isaac.kit import widgets as ui
from tests.isaac.kit.session import Session
from tests.isaac.kit.widgets import KitError, World
from tests.isaac.panel_fixtures import HPVQA, SCHEMA, prepare, script, tiny_job

# Each panel asks commands, which are processes.
pytestmark = pytest.mark.slow

SECTIONS = ["Preview", "Task", "Randomization", "Cameras", "Output", "Launch", "Episodes", "Replay", "Ask"]
ALL = 40 * len(TASKS)
"""Episodes of a job that nobody changed."""
CONTROLS = ("StringField", "IntField", "FloatField", "CheckBox", "ProgressBar", "ComboBox", "Button")


def unfold(kit: Session) -> None:
    kit.unfold(*SECTIONS)
    kit.until(lambda: kit.extension._collector.table is not None)


def controls(kit: Session) -> list[Any]:
    return [widget for widget in kit.all() if type(widget).__name__ in CONTROLS]


def job(kit: Session) -> dict[str, object]:
    """The job as it was handed to hpvqa the last time."""
    return kit.extension._collector.job.recipe()


def test_the_menu_shows_and_hides_the_window(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        window, entry = kit.window(), "Tools/Replicator/Hidden Physics"
        assert window.visible
        assert kit.menu_item(entry).ticked_fn()
        kit.menu(entry)
        assert not window.visible
        assert not kit.menu_item(entry).ticked_fn()
        kit.menu(entry)
        assert kit.window().visible
        kit.ui.Workspace.show_window("Hidden Physics", False)
        kit.frame()
        assert not window.visible


def test_what_kit_s_own_runner_would_run_passes(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        case = importlib.import_module("hpvqa_collector.tests").TestWindow
        names = unittest.defaultTestLoader.getTestCaseNames(case)
        assert names
        for name in names:
            task = kit.loop.create_task(getattr(case(name), name)())
            kit.until(task.done)
            task.result()


def test_every_section_is_there_and_every_control_has_a_tooltip_and_a_name(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        unfold(kit)
        titles = [widget.title for widget in kit.all() if isinstance(widget, kit.ui.CollapsableFrame)]
        assert titles == SECTIONS
        assert len(controls(kit)) > 100
        assert [widget.identifier for widget in controls(kit) if not widget.tooltip] == []
        names = [widget.identifier for widget in controls(kit)]
        assert "" not in names
        assert len(set(names)) == len(names)


def test_cameras_that_differ_in_roll_alone_show_it(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        unfold(kit)
        assert "front_left stands on the robot's right" in kit.texts()["rig.description"]
        assert [kit.find(f"camera.back_top_narrow.up.{axis}").model.as_float for axis in range(3)] == [1, 0, 0]
        kit.type("camera.back_top_narrow.up.1", 0.5)
        cameras = {camera["name"]: camera for camera in job(kit)["rig"]["tasks"]["push"]}
        assert cameras["back_top_narrow"]["up"] == [1, 0.5, 0]


def test_every_setting_of_the_schema_has_a_control_with_its_description(tmp_path: Path, panel: Opens) -> None:
    from hpvqa_collector.fields import recipe_fields

    with panel(tmp_path) as kit:
        unfold(kit)
        kit.choose("backend", "isaac")
        tooltips = {widget.identifier: widget.tooltip for widget in controls(kit)}
        for field in recipe_fields(SCHEMA):
            shown = tooltips.get(field.name, tooltips.get(f"{field.name}.0"))
            assert shown == field.description, field.name


def test_only_what_the_simulator_and_the_tasks_heed_is_shown(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.unfold("Randomization")

        def shown(*names: str) -> list[bool]:
            identifiers = {widget.identifier for widget in kit.all()}
            return [name in identifiers for name in names]

        for backend, isaac in (("isaac", True), ("mujoco", False)):
            kit.choose("backend", backend)
            assert shown("num_envs", "physics", "option.isaac", "option.workers") == [isaac, isaac, isaac, not isaac]
            assert kit.find("log.kit").visible == isaac
        ranges = ("tasks.push.episodes", "tasks.push.ranges.light_mass.0")
        assert shown(*ranges) == [True, True]
        kit.check("tasks.push", False)
        assert shown(*ranges) == [False, False]


def test_an_empty_field_says_what_that_means_and_units_stand_beside_names(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.unfold("Randomization")
        kit.until(lambda: kit.texts()["tasks.push.fps.hint"] == str(TASKS["push"].default_fps))
        hint = kit.find("tasks.push.fps.hint")
        assert hint.visible
        kit.type("tasks.push.fps", "10")
        assert not kit.find("tasks.push.fps.hint").visible
        assert kit.texts()["option.question.hint"] == "the question of the task"
        words = {widget.text for widget in kit.all() if isinstance(widget, kit.ui.Label)}
        assert {"Light mass [kg]", "Resolution [pixels]", "Seed"} <= words


def test_labels_without_words_take_no_room(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        for name in ("notice", "detail", "ask.answer"):
            assert (kit.texts()[name], kit.find(name).visible) == ("", False)
        assert kit.find("progress").model.as_string == " "


@pytest.mark.long
def test_an_edited_job_is_saved_and_runs_unchanged_on_the_command_line(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        unfold(kit)
        tiny_job(kit, 3)
        kit.type("seed", 7)
        kit.type("randomization.light_z.1", 2.5)
        kit.choose("randomization.object_colors", "independent")
        kit.check("camera.back_wide.on", False)
        kit.type("camera.front_top_narrow.focal_length", 35.0)
        kit.click("job.save")
        kit.pick(tmp_path / "job.yaml")
        assert kit.texts()["notice"] == f"The job is in {tmp_path / 'job.yaml'}"
        saved = job(kit)
    recipe = load_recipe(str(tmp_path / "job.yaml"))
    assert recipe.model_dump(mode="json", exclude_defaults=True)["seed"] == 7
    assert (recipe.resolution, recipe.fps("push"), list(recipe.named_tasks())) == ((64, 48), 2, ["push"])
    assert (recipe.randomization.light_z, recipe.randomization.object_colors) == ((2.0, 2.5), "independent")
    cameras = {camera.name: camera.focal_length for camera in recipe.rig.cameras("push")}
    assert "back_wide" not in cameras
    assert cameras["front_top_narrow"] == 35
    assert len(recipe.rig.cameras("drop")) == 7

    with panel(tmp_path / "other") as kit:
        kit.click("job.load")
        kit.pick(tmp_path / "job.yaml")
        kit.until(lambda: kit.texts()["notice"].startswith("Loaded"))
        assert job(kit) == saved
        assert kit.find("seed").model.as_int == 7
        assert not kit.find("tasks.drop").model.as_bool


@pytest.mark.long
def test_recipes_written_by_hand_load_too(tmp_path: Path, panel: Opens) -> None:
    (tmp_path / "rig.yaml").write_text(yaml.safe_dump({**load_rig("paper").model_dump(mode="json"), "name": "mine"}))
    (tmp_path / "job.yaml").write_text("rig: rig.yaml  # beside this file\ntasks: {drop: {episodes: 5}}\n")
    with panel(tmp_path) as kit:
        kit.click("job.load")
        kit.pick(tmp_path / "job.yaml")
        kit.until(lambda: kit.texts()["notice"].startswith("Loaded"))
        assert kit.find("tasks.drop.episodes").model.as_int == 5
        kit.unfold("Cameras")
        assert kit.find("rig").model.as_string == "mine"
        kit.until(lambda: kit.texts()["estimate"].startswith("0 of 5"))


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("seeds: 3\n", "has an unknown key 'seeds'; did you mean 'seed'?"),
        pytest.param("resolution: [63, 48]\n", "H.264 needs an even width and height", marks=pytest.mark.long),
        pytest.param("tasks: [\n", "cannot be read", marks=pytest.mark.long),
    ],
)
def test_a_recipe_that_is_wrong_is_one_sentence(tmp_path: Path, text: str, sentence: str, panel: Opens) -> None:
    (tmp_path / "job.yaml").write_text(text)
    with panel(tmp_path) as kit:
        kit.click("job.load")
        kit.pick(tmp_path / "job.yaml")
        kit.until(lambda: sentence in kit.texts()["notice"])


def test_a_value_that_does_not_fit_is_refused_in_words_and_the_old_one_stays(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.unfold("Randomization")
        kit.type("randomization.start_jitter", 0.5)
        assert kit.texts()["notice"] == "Start jitter must be at most 0.02, not 0.5"
        assert kit.find("randomization.start_jitter").model.as_float == 0.01
        kit.type("tasks.push.fps", "fifteen")
        assert kit.texts()["notice"] == "Fps is a whole number, not 'fifteen'"
        assert kit.find("tasks.push.fps").model.as_string == ""
        for task in TASKS:
            kit.check(f"tasks.{task}", False)
        assert kit.texts()["notice"] == "At least one task is needed"
        assert kit.find(f"tasks.{list(TASKS)[-1]}").model.as_bool
        kit.type("seed", 3)
        assert kit.texts()["notice"] == ""


def test_what_only_hpvqa_knows_it_says_in_the_panel(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.type("tasks.push.fps", "7")
        kit.until(lambda: "a frame rate must divide 1200, and 7 does not" in kit.texts()["estimate"])
        assert not kit.find("generate").enabled
        assert kit.texts()["error"] == kit.texts()["estimate"]
        kit.type("tasks.push.fps", "")
        kit.until(lambda: kit.texts()["estimate"].startswith(f"0 of {ALL} episodes are there"))
        assert kit.find("generate").enabled


def test_reset_brings_back_the_papers_ranges(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.unfold("Randomization")
        before = job(kit)
        kit.type("randomization.light_x.0", -1.0)
        kit.type("tasks.push.ranges.light_mass.0", 0.25)
        assert job(kit) != before
        kit.click("randomization.reset")
        assert job(kit) == before
        assert kit.find("tasks.push.ranges.light_mass.0").model.as_float == 0.5


@pytest.mark.long
def test_rigs_are_chosen_saved_and_loaded(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        unfold(kit)
        kit.type("rig", "paper-original")
        kit.until(lambda: kit.extension._collector.table is not None)
        assert kit.find("camera.back_wide.position.0").model.as_float == pytest.approx(0.05)
        kit.type("camera.back_wide.position.0", -0.2)
        assert kit.find("rig").model.as_string == "paper-original-edited"
        kit.choose("option.preview_task", "drop")
        assert kit.find("camera.front_narrow.focal_length").model.as_float == 24
        kit.click("rig.save")
        kit.pick(tmp_path / "mine")
        rig = load_rig(str(tmp_path / "mine.yaml"))
        assert rig.cameras("push")[2].position == (-0.2, 0, 0.3)
        kit.type("rig", "papr")
        kit.until(lambda: "There is no camera rig 'papr'; did you mean 'paper'?" in kit.texts()["estimate"])
        kit.click("rig.load")
        kit.pick(tmp_path / "mine.yaml")
        kit.until(lambda: kit.extension._collector.table is not None)
        kit.choose("option.preview_task", "push")
        assert kit.find("camera.back_wide.position.0").model.as_float == pytest.approx(-0.2)


def test_the_last_camera_cannot_be_switched_off(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        unfold(kit)
        names = [camera.name for camera in load_rig("paper").cameras("push")]
        for name in names[1:]:
            kit.click(f"camera.{name}.remove")
        kit.check(f"camera.{names[0]}.on", False)
        assert kit.texts()["notice"] == "At least one camera of push must be on"
        assert kit.find(f"camera.{names[0]}.on").model.as_bool


def test_everything_is_there_again_after_a_reload(tmp_path: Path, kit_session: Opens) -> None:
    with kit_session() as kit:
        prepare(kit, tmp_path)
        kit.start()
        unfold(kit)
        kit.type("seed", 11)
        kit.check("camera.back_wide.on", False)
        kit.type("option.server", "http://127.0.0.1:9/v1")
        kit.choose("option.when_closing", "let it go on")
        before = job(kit)
        kit.stop()
        kit.start()
        kit.unfold("Cameras")
        assert job(kit) == before
        assert not kit.find("camera.back_wide.on").model.as_bool
        assert kit.find("option.server").model.as_string == "http://127.0.0.1:9/v1"
        assert kit.find("section.Cameras").collapsed is False


def test_settings_that_cannot_be_read_are_said_and_the_panel_opens(tmp_path: Path, kit_session: Opens) -> None:
    with kit_session() as kit:
        prepare(kit, tmp_path)
        kit.settings.set_string("/persistent/exts/hpvqa.collector/state", "{broken")
        kit.start()
        assert "could not be read" in kit.texts()["notice"]


def test_no_hpvqa_is_a_sentence(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path, command="/nowhere/hpvqa") as kit:
        kit.until(lambda: "There is no program '/nowhere/hpvqa'" in kit.texts()["estimate"])
        assert not kit.find("generate").enabled
        kit.type("option.command", HPVQA)
        kit.until(lambda: kit.texts()["estimate"].startswith(f"0 of {ALL} "))


def test_a_command_that_is_no_hpvqa_is_a_sentence(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path, command=script(tmp_path, "sys.exit('ModuleNotFoundError: No module named hpvqa')")) as kit:
        kit.until(lambda: kit.texts()["estimate"] == "ModuleNotFoundError: No module named hpvqa")


def test_a_full_disk_and_a_busy_folder_are_said_before_anything_starts(tmp_path: Path, panel: Opens) -> None:
    tasks = {"push": {"asked": 4, "already": 0, "fps": 15, "frames": 1, "bytes": 10**12, "seconds": None}}
    what = {"tasks": tasks, "bytes": 4 * 10**12, "seconds": None, "free_bytes": 10**9, "busy": False}
    what |= {"recipe": {}, "rig": load_rig("paper").model_dump(mode="json")}
    path = tmp_path / "what.json"
    path.write_text(json.dumps(what))
    with panel(tmp_path, command=script(tmp_path, f"print(Path({str(path)!r}).read_text())")) as kit:
        kit.until(lambda: "more than the 1.0 GB that are free on this disk" in kit.texts()["estimate"])
        path.write_text(json.dumps({**what, "busy": True}))
        kit.type("seed", 1)
        kit.until(lambda: kit.texts()["estimate"].startswith("Another run is writing to this folder"))


def test_the_desktop_opens_folders(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, panel: Opens) -> None:
    opened = tmp_path / "opened"
    program = tmp_path / "bin" / "xdg-open"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\necho "$1" > {opened}\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:/usr/bin:/bin")
    with panel(tmp_path) as kit:
        kit.click("data.open")
        assert kit.texts()["notice"] == f"There is no {tmp_path / 'data'} yet"
        kit.choose("backend", "isaac")
        kit.click("log.open")
        assert kit.texts()["notice"] == "There is nothing to open yet"
        (tmp_path / "data").mkdir()
        kit.click("data.open")
        kit.until(lambda: opened.exists() and opened.read_text().strip() == str(tmp_path / "data"))
        (tmp_path / "data" / "isaac-push.log").touch()
        kit.click("log.kit")
        kit.until(lambda: opened.read_text().strip() == str(tmp_path / "data" / "isaac-push.log"))


# ---------------------------------------------------------------- the stand-in is strict


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        (lambda: ui.Label("x", colour=1), "has no keyword colour"),
        (lambda: ui.Label("x", tooltip=3), "wrong type"),
        (lambda: ui.Label("x", alignment=2), "takes an Alignment"),
        (lambda: ui.Button("x", clicked_fn="no"), "not callable"),
        (lambda: ui.IntField(width="wide"), "no length"),
        (lambda: ui.IntField().model.set_value("7"), "cannot hold"),
        (lambda: ui.CheckBox().model.set_value(1), "cannot hold"),
        (lambda: setattr(ui.Label("x"), "colour", 1), "cannot be set"),
        (lambda: ui.Label("x").colour, "has no attribute"),
        (lambda: ui.Window("y", dockPreference=1), "takes a DockPreference"),
    ],
)
def test_what_kit_would_ignore_is_an_error_here(wrong: object, words: str) -> None:
    World.reset()
    window = ui.Window("x")
    with window.frame, ui.VStack(), pytest.raises(KitError, match=words):
        wrong()  # type: ignore[operator]


def test_a_destroyed_widget_and_a_widget_without_a_place_are_errors() -> None:
    World.reset()
    with pytest.raises(KitError, match="outside of any container"):
        ui.Label("x")
    window = ui.Window("x")
    with window.frame:
        label = ui.Label("x")
    window.destroy()
    with pytest.raises(KitError, match="a destroyed Label was used"):
        label.text = "y"


def test_an_exception_of_a_button_is_an_error_here(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.extension._collector.generate = lambda: 1 / 0
        with pytest.raises((KitError, ZeroDivisionError), match="division by zero"):
            kit.click("generate")
        kit.logged.clear()


def test_an_exception_that_kit_would_swallow_is_an_error_here(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.extension._collector.watch("run", lambda: 1 / 0)
        kit.extension._collector.run.state = "running"
        kit.extension._collector.calls.poll = lambda: 1 / 0
        with pytest.raises(KitError, match="an exception was swallowed"):
            kit.until(lambda: False, 5)
        kit.logged.clear()
        kit.extension._collector.run.state = "idle"
