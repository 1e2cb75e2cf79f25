"""What pictures show, measured in pictures: silhouettes, edges, shadows, surfaces, and that nothing is left over."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import replace

import mujoco
import numpy as np
import pytest
from numpy.typing import NDArray

from hpvqa.resources import default_cache
from hpvqa.scene.camera import look_at, project
from hpvqa.scene.rigs import load_rig, rig_names
from hpvqa.scene.spec import SIDES, SURFACES, CameraSpec, EpisodeSpec, Vec3
from hpvqa.sim import open_simulator
from hpvqa.sim.mujoco import robot
from hpvqa.sim.mujoco.assets import MODEL, robot_dir
from hpvqa.sim.mujoco.simulator import MujocoSimulator
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import FIRST_LABEL, ROBOT_LABEL
from hpvqa.sim.render.shapes import creased
from hpvqa.tasks import TASKS
from tests.needs import long_but
from tests.worlds import sample, with_things

LABELS = {side: label for label, side in enumerate(SIDES, FIRST_LABEL)}
SIZE = (224, 224)


@pytest.fixture(scope="module")
def simulator() -> Iterator[MujocoSimulator]:
    opened = open_simulator(SIZE)
    assert isinstance(opened, MujocoSimulator)
    yield opened
    opened.close()


def placed(simulator: MujocoSimulator, spec: EpisodeSpec, seconds: float = 0.0) -> MujocoSimulator:
    """The simulator in an episode, some time after its start."""
    planner = Planner(TASKS[spec.task].waypoints(spec))
    simulator.reset(spec, planner.command(0.0))
    for step in range(round(seconds / simulator.timestep)):
        simulator.step(planner.command(step * simulator.timestep))
    return simulator


def seen(simulator: MujocoSimulator, camera: CameraSpec) -> NDArray[np.uint8]:
    return simulator.render(camera).copy()


def view_of(simulator: MujocoSimulator, spec: EpisodeSpec, camera: CameraSpec) -> object:
    """What is kept of a camera's picture of an episode."""
    seen(placed(simulator, spec), camera)
    assert simulator._renderer is not None
    return simulator._renderer._views.of(camera)


def labels(simulator: MujocoSimulator, camera: CameraSpec) -> NDArray[np.uint8]:
    return simulator.segment(camera)


def viewed(spec: EpisodeSpec, position: Vec3, target: Vec3, focal_length: float = 24.0) -> EpisodeSpec:
    """The same episode, seen by one other camera."""
    camera = CameraSpec(name="eye", position=position, quat_wxyz=look_at(position, target), focal_length=focal_length)
    return spec.model_copy(update={"cameras": (camera,)})


def painted(spec: EpisodeSpec, **changes: object) -> EpisodeSpec:
    return spec.model_copy(update={"room": spec.room.model_copy(update=changes)})


def grown(mask: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """A mask and all pixels beside it."""
    padded = np.pad(mask, 1)
    shifts = [(i, j) for i in (0, 1, 2) for j in (0, 1, 2)]
    return np.any([padded[i : i + mask.shape[0], j : j + mask.shape[1]] for i, j in shifts], axis=0)


def luminance(image: NDArray[np.uint8]) -> NDArray[np.float64]:
    return image.astype(float) @ [0.2126, 0.7152, 0.0722]


@pytest.mark.parametrize("task", long_but(TASKS, "drop"))
@pytest.mark.parametrize("rig", rig_names())
def test_things_are_where_the_projection_says(task: str, rig: str, simulator: MujocoSimulator) -> None:
    spec = sample(task, 1).model_copy(update={"cameras": load_rig(rig).cameras(task)})
    placed(simulator, spec)
    for camera in spec.cameras:
        found = labels(simulator, camera)
        for label, item in enumerate(spec.things, FIRST_LABEL):
            v, u = np.nonzero(found == label)
            if item.shape != "sphere" or len(u) == 0:
                continue
            ((x, y),) = project(camera, [item.position], *SIZE)
            hidden = grown(found == ROBOT_LABEL)[v, u].any()
            inside = 3 < x < SIZE[0] - 3 and 3 < y < SIZE[1] - 3
            if inside and not hidden:
                assert abs(u.mean() + 0.5 - x) < 0.7, camera.name
                assert abs(v.mean() + 0.5 - y) < 0.7, camera.name


def test_a_cube_fills_its_outline(simulator: MujocoSimulator) -> None:
    spec = viewed(sample("push", 1), (0.9, 0.2, 0.25), (0.4, 0.2, 0.0))
    placed(simulator, spec)
    (camera,) = spec.cameras
    half, center = spec.thing("left").half_height, np.array(spec.thing("left").position)
    corners = [center + half * np.array([i, j, k]) for i in (-1, 1) for j in (-1, 1) for k in (-1, 1)]
    outline = project(camera, corners, *SIZE)
    v, u = np.nonzero(labels(simulator, camera) == LABELS["left"])
    found = np.array([[u.min(), v.min()], [u.max() + 1, v.max() + 1]])
    assert np.abs(found - [outline.min(axis=0), outline.max(axis=0)]).max() <= 1.0


@pytest.fixture(scope="module")
def whole_robot() -> list[robot.RobotPart]:
    """The robot as it comes, with all of its 198,000 faces."""
    model = mujoco.MjSpec.from_file(str(robot_dir(default_cache(os.environ)) / MODEL)).compile()
    parts = robot.robot_parts(robot_dir(default_cache(os.environ)) / MODEL, default_cache(os.environ), ROBOT_LABEL)
    meshes = [creased(*robot._weld(m.vertices, m.faces, 1e-4)) for m in robot._joined(robot.visual_meshes(model))]
    return [
        robot.RobotPart(part.body, replace(part.part, levels=(mesh,))) for part, mesh in zip(parts, meshes, strict=True)
    ]


@pytest.mark.parametrize("rig", long_but(["paper", "close"], "close"))
@pytest.mark.parametrize("task", long_but(TASKS, "push"))
def test_silhouettes_are_within_a_pixel_of_full_detail(
    task: str, rig: str, simulator: MujocoSimulator, whole_robot: list[robot.RobotPart], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("hpvqa.sim.mujoco.simulator.robot_parts", lambda *args, **named: whole_robot)
    detailed = open_simulator(SIZE)
    assert isinstance(detailed, MujocoSimulator)
    # In the middle of handling the first thing.
    spec = sample(task, 2).model_copy(update={"cameras": load_rig(rig).cameras(task)})
    for one in (simulator, detailed):
        placed(one, spec, 1.5)
    for camera in spec.cameras:
        ours, theirs = labels(simulator, camera), labels(detailed, camera)
        astray = [
            (one == label) & ~grown(other == label)
            for label in (ROBOT_LABEL, *LABELS.values())
            for one, other in ((ours, theirs), (theirs, ours))
        ]
        # Between the gripper's fingers, gaps of a pixel may open and close.
        assert np.sum(astray) <= 8, camera.name
    detailed.close()


def named(cameras: tuple[CameraSpec, ...], prefix: str) -> tuple[CameraSpec, ...]:
    return tuple(camera.model_copy(update={"name": f"{prefix}_{camera.name}"}) for camera in cameras)


def test_edges_are_smooth(simulator: MujocoSimulator) -> None:
    # A pale sphere before a dark wall: where its edge cuts a pixel, the pixel is in between.
    spec = painted(sample("drop", 1), walls=((0.1, 0.1, 0.1),) * 4, table=(0.1, 0.1, 0.1), floor=(0.1, 0.1, 0.1))
    spec = with_things(spec, left={"color": (0.9, 0.9, 0.9)})
    spec = viewed(spec, (1.0, 0.2, 0.05), (0.4, 0.2, 0.03), 60.0)
    placed(simulator, spec)
    image = luminance(seen(simulator, spec.cameras[0]))
    mask = labels(simulator, spec.cameras[0]) == LABELS["left"]
    edge = grown(mask) & grown(~mask)
    between = (image[edge] > 45) & (image[edge] < 110)
    assert between.mean() > 0.15


@pytest.mark.parametrize("rig", long_but(rig_names(), "paper", "shift-views"))
def test_the_room_is_closed(rig: str, simulator: MujocoSimulator) -> None:
    # In a room of one bright colour no picture, whatever it shows, has a hole.
    pale = painted(sample("push", 0), table=(0.9,) * 3, floor=(0.9,) * 3, walls=((0.9,) * 3,) * 4)
    spec = pale.model_copy(update={"cameras": load_rig(rig).cameras("push")})
    placed(simulator, spec)
    for camera in spec.cameras:
        background = labels(simulator, camera) == 0
        dark = luminance(seen(simulator, camera))[background & ~grown(~background)] < 20
        assert dark.mean() < 0.01, camera.name


def test_a_shadow_is_soft_and_moves_with_what_casts_it(simulator: MujocoSimulator) -> None:
    spec = painted(sample("push", 0), table=(0.8, 0.8, 0.8))
    spec = spec.model_copy(update={"light": spec.light.model_copy(update={"position": (0.6, -2.0, 2.0)})})
    spec = viewed(spec, (0.6, 0.0, 2.6), (0.601, 0.0, 0.0), 36.0)
    placed(simulator, spec)
    before = luminance(seen(simulator, spec.cameras[0]))
    table = grown(labels(simulator, spec.cameras[0]) != 0)
    placed(simulator, spec, 2.0)
    after = luminance(seen(simulator, spec.cameras[0]))
    table = ~(table | grown(labels(simulator, spec.cameras[0]) != 0))
    change = np.abs(after - before)[table]
    assert change.max() > 25
    # Nearly as much of it half in the shadow as wholly in it.
    assert ((change > 5) & (change < change.max() - 5)).mean() > 0.5 * (change > change.max() - 5).mean()


def test_a_viewer_that_moves_keeps_no_more_than_a_few_views(simulator: MujocoSimulator) -> None:
    spec = sample("push", 0)
    placed(simulator, spec)
    first = seen(simulator, spec.cameras[0])
    for number in range(20):
        place = (1.0, 0.03 * number, 0.5)
        eye = CameraSpec(name="eye", position=place, quat_wxyz=look_at(place, (0.4, 0.0, 0.0)), focal_length=24.0)
        assert seen(simulator, eye).std() > 5
    renderer = simulator._renderer
    assert renderer is not None
    assert len(renderer._views) <= len(spec.cameras) + 8
    assert np.array_equal(seen(simulator, spec.cameras[0]), first)


@pytest.mark.long
def test_nothing_of_an_earlier_picture_is_left(simulator: MujocoSimulator) -> None:
    fresh = open_simulator(SIZE)
    assert isinstance(fresh, MujocoSimulator)
    spec, earlier = sample("push", 3), sample("drop", 2)
    placed(simulator, earlier, 1.0)
    for camera in earlier.cameras:
        seen(simulator, camera)
    for one in (simulator, fresh):
        placed(one, spec, 1.0)
    for camera in reversed(spec.cameras):
        seen(simulator, camera)
    for camera in spec.cameras:
        assert np.array_equal(seen(simulator, camera), seen(fresh, camera)), camera.name
    fresh.close()


@pytest.mark.long
def test_what_stands_still_is_kept_as_long_as_it_looks_the_same(simulator: MujocoSimulator) -> None:
    spec = sample("push", 0)
    camera = spec.cameras[0]
    same = sample("push", 1).model_copy(update={"room": spec.room, "light": spec.light, "cameras": spec.cameras})
    darker = tuple(value / 2 for value in spec.room.table)
    painted_anew = same.model_copy(update={"room": spec.room.model_copy(update={"table": darker})})
    moved = same.model_copy(update={"light": spec.light.model_copy(update={"position": (0.0, 1.0, 1.4)})})
    kept = view_of(simulator, spec, camera)
    assert view_of(simulator, same, camera) is kept
    for other in (painted_anew, moved):
        assert view_of(simulator, other, camera) is not view_of(simulator, same, camera)
        fresh = open_simulator(SIZE)
        assert isinstance(fresh, MujocoSimulator)
        assert np.array_equal(seen(placed(simulator, other), camera), seen(placed(fresh, other), camera))
        fresh.close()


@pytest.mark.parametrize("task", long_but(TASKS, "slide"))
def test_a_viewer_sees_what_a_camera_of_the_episode_sees_in_its_place(task: str, simulator: MujocoSimulator) -> None:
    spec = sample(task, 4)
    unnamed = spec.model_copy(update={"cameras": spec.cameras[:1]})
    for camera in spec.cameras[1:]:
        named_, viewer = (seen(placed(simulator, one), camera).astype(int) for one in (spec, unnamed))
        apart = np.abs(named_ - viewer).max(axis=2)
        # Where there is a grain in the surface, one ray a pixel may see another fibre.
        assert apart.mean() < 1.0, camera.name
        assert (apart > 12).mean() < 0.01, camera.name


def test_any_number_of_cameras_draws(simulator: MujocoSimulator) -> None:
    spec = sample("push")
    crowd = named(spec.cameras, "a") + named(spec.cameras, "b") + named(spec.cameras, "c")
    placed(simulator, spec.model_copy(update={"cameras": crowd}))
    pictures = [seen(simulator, camera) for camera in crowd]
    for one, other in zip(pictures[:7], pictures[14:], strict=True):
        assert np.array_equal(one, other)


@pytest.mark.parametrize("surface", SURFACES[1:])
def test_a_surface_has_a_pattern_but_keeps_its_colour(surface: str, simulator: MujocoSimulator) -> None:
    spec = viewed(sample("push", 0), (0.75, -0.1, 0.5), (0.75, -0.2, 0.0))
    pictures = {}
    for name in ("plain", surface):
        placed(simulator, painted(spec, table=(0.7, 0.5, 0.3), surfaces=(name, "plain", "plain")))
        background = labels(simulator, spec.cameras[0]) == 0
        pictures[name] = seen(simulator, spec.cameras[0])[background].astype(float)
    assert np.abs(pictures[surface].mean(axis=0) - pictures["plain"].mean(axis=0)).max() < 12
    assert (pictures[surface] != pictures["plain"]).any(axis=1).mean() > 0.4
    assert np.abs(pictures[surface] - pictures["plain"]).mean(axis=1).max() < 60


def test_what_the_table_hides_is_not_seen(simulator: MujocoSimulator) -> None:
    spec = viewed(sample("push", 0), (0.6, 0.3, -0.6), (0.5, 0.0, 0.0))
    placed(simulator, spec)
    found = labels(simulator, spec.cameras[0])
    assert not np.isin(found, list(LABELS.values())).any()
    under = seen(simulator, spec.cameras[0])
    moved = placed(simulator, spec, 1.0)
    # Shadows may change a picture from below, things on the table may not.
    assert not np.isin(labels(moved, spec.cameras[0]), list(LABELS.values())).any()
    assert np.abs(seen(moved, spec.cameras[0]).astype(int) - under).mean() < 3


def test_a_device_that_cannot_draw_finer_draws_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    import hpvqa.sim.render.renderer as module

    monkeypatch.setattr(module, "largest_texture", lambda: 300)
    coarse = open_simulator(SIZE)
    assert isinstance(coarse, MujocoSimulator)
    spec = sample("push", 0)
    placed(coarse, spec)
    with pytest.warns(UserWarning, match="jagged edges in pictures of 224x224"):
        assert seen(coarse, spec.cameras[0]).std() > 10
    coarse.close()
