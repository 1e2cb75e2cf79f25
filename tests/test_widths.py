"""How wide things are in pictures, and the warning where that is too little."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest

from hpvqa.main import main
from hpvqa.recipe import load_recipe, recipe_names
from hpvqa.scene.camera import project
from hpvqa.scene.rigs import find_rig
from hpvqa.scene.widths import LEAST_WIDTH, thing_width, too_small
from hpvqa.tasks import TASKS
from tests.collect_fakes import collection
from tests.factories import make_spec


@pytest.mark.parametrize("task", TASKS)
def test_the_width_is_that_of_the_projection(task: str) -> None:
    spec = make_spec(task, 0, cameras=7)
    for camera in spec.cameras:
        right = np.array(_axes(camera.quat_wxyz)[:, 0])
        thing = spec.things[0]
        ends = [np.array(thing.position) + sign * min(thing.size) / 2 * right for sign in (-1, 1)]
        (u, _), (w, _) = project(camera, ends, 224, 224)
        assert thing_width(camera, thing, 224) == pytest.approx(abs(w - u))


def _axes(quat: tuple[float, float, float, float]) -> np.ndarray[tuple[int, int], np.dtype[np.float64]]:
    from hpvqa.scene.camera import rotation

    return rotation(quat)


def test_cameras_that_show_too_little_are_named_with_their_pixels() -> None:
    spec = make_spec("drop", 0, cameras=2)
    assert too_small(spec, 224, 224) is None
    said = str(too_small(spec, 64, 48))
    narrow, wide = (min(thing_width(camera, thing, 64) for thing in spec.things) for camera in spec.cameras)
    assert narrow < LEAST_WIDTH <= wide or wide < LEAST_WIDTH
    assert f"At 64x48 a thing of drop is fewer than 3 pixels wide ({narrow:.1f} by {spec.cameras[0].name}" in said
    # What it says is enough is enough.
    width, height = (int(side) for side in said.split("resolution to ")[1].split()[0].split("x"))
    assert too_small(spec, width, height) is None
    assert too_small(spec, width - 4, height) is not None
    assert (width % 2, height % 2) == (0, 0)


def test_what_is_behind_a_camera_is_not_said_to_be_small() -> None:
    spec = make_spec("push", 0, cameras=1)
    away = spec.cameras[0].model_copy(update={"position": (1.0, 0.0, -3.0)})
    assert too_small(spec.model_copy(update={"cameras": (away,)}), 32, 32) is None


@pytest.mark.parametrize("name", recipe_names())
def test_shipped_recipes_show_their_things(name: str) -> None:
    recipe = load_recipe(name)
    for task in recipe.named_tasks():
        rig = find_rig(recipe.rig)
        spec = make_spec(task, 0).model_copy(update={"cameras": rig.cameras(task)})
        assert too_small(spec, *recipe.resolution) is None


def test_a_collection_warns(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert collection("push", "drop", video=True, resolution=(224, 224)).warnings() == []
    assert len(collection("push", "drop", video=True, resolution=(32, 32)).warnings()) == 2
    assert collection("push", video=False, resolution=(32, 32)).warnings() == []
    args = ["collect", "push", "--resolution", "64x64", "--out", str(tmp_path / "data"), "--estimate"]
    for more in ([], ["--json"]):
        with pytest.raises(SystemExit) as stop:
            main([*args, *more])
        assert not stop.value.code
        out = capsys.readouterr().out
        said = json.loads(out)["warnings"][0] if more else out
        assert "At 64x64 a thing of push is fewer than 3 pixels wide (1.2 by front_top_narrow, " in said
