"""A chequered thing in pictures: obviously no plain one, without a seam, of the same colour on the whole."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from hpvqa.errors import UsageError
from hpvqa.scene.camera import look_at
from hpvqa.scene.spec import CameraSpec, Color, EpisodeSpec, Thing, Vec3
from hpvqa.sim import open_simulator
from hpvqa.sim.isaac.limits import check_things
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import FIRST_LABEL
from hpvqa.tasks import TASKS
from tests.worlds import sample

SIZE = (384, 384)
SHAPES: dict[str, dict[str, Any]] = {
    "box": {"size": (0.05, 0.05, 0.05)},
    "sphere": {"size": (0.05, 0.05, 0.05)},
    "cylinder": {"size": (0.05, 0.05, 0.06)},
    "spring": {"size": (0.06, 0.06, 0.12), "stiffness": 200.0},
}
RED: Color = (0.8, 0.3, 0.25)
shapes = pytest.mark.parametrize("shape", SHAPES)


@pytest.fixture(scope="module")
def simulator() -> Iterator[Any]:
    opened = open_simulator(SIZE)
    yield opened
    opened.close()


def world(shape: str, surface: str, color: Color = RED) -> EpisodeSpec:
    """One thing on a dark table."""
    spec = sample("push", 1)
    size = SHAPES[shape]["size"]
    thing = Thing.model_validate(
        {
            **SHAPES[shape],
            "name": "it",
            "shape": shape,
            "position": (0.55, 0.1, size[2] / 2),
            "mass": 1.0,
            "friction": 0.5,
            "restitution": 0.0,
            "color": color,
            "surface": surface,
        }
    )
    room = spec.room.model_copy(update={"table": (0.15, 0.2, 0.3)})
    return spec.model_copy(update={"things": (thing,), "order": ("it",), "room": room})


def eye(direction: Vec3, distance: float = 1.0, focal_length: float = 36.0) -> CameraSpec:
    """A camera that looks at the thing from somewhere."""
    target = np.array([0.55, 0.1, 0.03])
    x, y, z = (target + distance * np.array(direction) / np.linalg.norm(direction)).tolist()
    return CameraSpec(
        name="eye",
        position=(x, y, z),
        quat_wxyz=look_at((x, y, z), (0.55, 0.1, 0.03)),
        focal_length=focal_length,
    )


def picture(simulator: Any, spec: EpisodeSpec, camera: CameraSpec) -> NDArray[np.float64]:
    simulator.reset(spec, Planner(TASKS["push"].waypoints(sample("push", 1))).command(0.0))
    return np.array(simulator.render(camera), float)


@shapes
def test_it_is_obviously_not_plain(shape: str, simulator: Any) -> None:
    camera = eye((0.6, 0.4, 0.5), focal_length=50.0)
    plain, squares = (picture(simulator, world(shape, surface), camera) for surface in ("plain", "chequered"))
    assert (np.abs(plain - squares).max(axis=2) > 20).sum() > 1000
    # Nothing else changes with it.
    assert (plain != squares)[simulator.segment(camera) < FIRST_LABEL].mean() < 0.01


@shapes
@pytest.mark.parametrize("color", [RED, (0.5, 0.5, 0.5), (0.1, 0.9, 0.1), (0.2, 0.25, 0.7)])
def test_its_colour_is_that_of_a_plain_one_on_the_whole(shape: str, color: Color, simulator: Any) -> None:
    camera = eye((0.6, 0.4, 0.5))
    plain, squares = (
        picture(simulator, world(shape, surface, color), camera)[simulator.segment(camera) == FIRST_LABEL].mean(axis=0)
        for surface in ("plain", "chequered")
    )
    assert np.abs(plain - squares).max() < 16


@pytest.mark.parametrize("shape", ["box", "sphere", "cylinder"])
def test_it_has_no_seam(shape: str, simulator: Any) -> None:
    # A seam would be a line of neither shade; where squares meet, such lines are as thin as a pixel.
    camera = eye((1.0, 0.2, 0.1), distance=0.35, focal_length=60.0)
    plain, squares = (picture(simulator, world(shape, surface), camera) for surface in ("plain", "chequered"))
    change = np.abs(squares - plain).max(axis=2)[simulator.segment(camera) == FIRST_LABEL]
    assert (change < 0.5 * np.median(change)).mean() < 0.06


def test_a_picture_from_afar_has_the_mean_of_both_shades(simulator: Any) -> None:
    camera = eye((0.6, 0.4, 0.5), distance=1.5, focal_length=4.0)
    plain, squares = (picture(simulator, world("box", surface), camera) for surface in ("plain", "chequered"))
    inside = simulator.segment(camera) == FIRST_LABEL
    assert 1 <= inside.sum() < 30
    assert np.abs(plain - squares)[inside].max() < 30


def test_squares_come_and_go_with_the_world(simulator: Any) -> None:
    camera = eye((0.6, 0.4, 0.5))
    worlds = [world("box", surface) for surface in ("plain", "chequered", "plain")]
    first, between, last = (picture(simulator, spec, camera) for spec in worlds)
    assert np.array_equal(first, last)
    assert not np.array_equal(first, between)


def test_isaac_sim_refuses_it_in_one_sentence() -> None:
    with pytest.raises(UsageError, match="cannot hold a chequered cube yet; collect with --backend mujoco"):
        check_things(world("box", "chequered").things)
