"""In what clips look other to a model than those of its training: their shape, and where their cameras stand."""

from __future__ import annotations

import math

import pytest

from hpvqa.record.fitting import Size
from hpvqa.scene.camera import quaternion, rotation
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.spec import CameraSpec
from hpvqa.tasks import TASKS
from hpvqa.vlm.choice import ModelChoice, choose_look
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.seen import Shot, seen_in, unlike

FRAMES = FrameSampling(resolution=(160, 160))
CAMERA = load_rig("paper").cameras("drop")[1]


def shots(rig: str = "paper", size: Size = (224, 224)) -> list[Shot]:
    return [Shot(task, size, camera) for task in TASKS for camera in load_rig(rig).cameras(task)]


def moved(x: float = 0.0, turn: float = 0.0, zoom: float = 1.0) -> CameraSpec:
    """The camera moved [m], turned about its line of sight [degrees], and with another lens."""
    c, s = math.cos(math.radians(turn)), math.sin(math.radians(turn))
    axes = rotation(CAMERA.quat_wxyz) @ [[c, -s, 0], [s, c, 0], [0, 0, 1]]
    position = (CAMERA.position[0] + x, *CAMERA.position[1:])
    changes = {"position": position, "quat_wxyz": quaternion(axes), "focal_length": zoom * CAMERA.focal_length}
    return CAMERA.model_copy(update=changes)


@pytest.mark.slow
def test_the_clips_of_the_training_are_not_strange() -> None:
    assert unlike(seen_in(shots()), FRAMES, shots()) == []
    # Nor are larger ones of the same shape, nor cameras that were never seen or are not known.
    assert unlike(seen_in(shots()), FRAMES, shots(size=(480, 480))) == []
    other = [Shot("push", (64, 64), CAMERA.model_copy(update={"name": "new"})), Shot("drop", (64, 64), None)]
    assert unlike(seen_in(shots()), FRAMES, other) == []


@pytest.mark.parametrize(("fit", "how"), [("pad", "padded to keep their shape"), ("squeeze", "squeezed")])
@pytest.mark.slow
def test_another_shape_is_told(fit: str, how: str) -> None:
    frames = FrameSampling(resolution=(160, 160), fit=fit)
    (said,) = unlike(seen_in(shots()), frames, shots(size=(640, 480)))
    assert said == (f"The model was trained on clips of another shape (224x224) than these (640x480), which are {how}")
    assert unlike(seen_in(shots(size=(320, 240))), frames, shots(size=(640, 480))) == []


def test_squeezing_is_told_where_nothing_is_known_of_the_training() -> None:
    squeezed = FrameSampling(resolution=(160, 160), fit="squeeze")
    (said,) = unlike(None, squeezed, shots(size=(640, 480)))
    assert said.startswith("Frames of 640x480 are squeezed to 160x160")
    assert unlike(None, squeezed, shots()) == unlike(None, FRAMES, shots(size=(640, 480))) == []


@pytest.mark.parametrize(
    ("camera", "words"),
    [
        (moved(x=0.03), "front_wide (moved by 3 cm)"),
        (moved(turn=2), "front_wide (turned by 2.0 degrees)"),
        (moved(zoom=2), "front_wide (a lens of 24 mm instead of 12)"),
        (moved(x=0.005, turn=0.3, zoom=1.005), None),
    ],
)
def test_a_camera_elsewhere_is_told_whatever_its_name(camera: CameraSpec, words: str | None) -> None:
    said = unlike(seen_in(shots()), FRAMES, [Shot("drop", (224, 224), camera)])
    assert len(said) == (words is not None)
    assert words is None or said[0].endswith(f"in the model's training, whatever their names: {words}")


def test_a_camera_that_stood_in_several_places_is_known_in_each() -> None:
    two = [Shot("drop", (64, 64), camera) for camera in (CAMERA, moved(x=0.5), moved(x=0.501))]
    seen = seen_in(two)
    assert len(seen.cameras["drop"]) == 2
    assert unlike(seen, FRAMES, two) == []
    assert unlike(seen, FRAMES, [Shot("drop", (64, 64), moved(x=0.25))])


def test_the_shipped_model_knows_its_rig_from_one_with_the_same_names() -> None:
    look = choose_look(ModelChoice(model="embedded"))
    assert look.unlike(shots()) == []
    said = look.unlike(shots("paper-original"))
    assert [sentence.split()[3] for sentence in said] == ["push", "drop"]
    assert "back_wide (moved by 107 cm, turned by" in said[0]
    assert "front_wide (turned by" in said[1]
