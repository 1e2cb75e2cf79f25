"""The preview on a real USD stage in memory: its geometry is that of the spec, and of what MuJoCo's images show."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image
from pxr import Gf, Sdf, Usd, UsdGeom, UsdShade

from hpvqa.scene import room as world
from hpvqa.scene.camera import rotation
from hpvqa.scene.spec import SIDES, EpisodeSpec
from hpvqa_collector import preview
from tests.isaac.conftest import Opens
from tests.isaac.kit.session import Session
from tests.isaac.stages import stage
from tests.needs import long_but
from tests.patience import PATIENCE
from tests.worlds import sample, with_things

SIZE = (640, 480)
TASKS = ("push", "drop")


def spec_of(task: str) -> EpisodeSpec:
    return sample(task, 1)


def drawn(spec: EpisodeSpec, on: Usd.Stage | None = None) -> tuple[Usd.Stage, dict[str, str]]:
    on = stage() if on is None else on
    return on, preview.draw(on, spec.model_dump(mode="json"), SIZE)


def placed(on: Usd.Stage, path: str) -> Gf.Matrix4d:
    return UsdGeom.Xformable(on.GetPrimAtPath(path)).ComputeLocalToWorldTransform(Usd.TimeCode.Default())


def pixel(camera: UsdGeom.Camera, point: Gf.Vec3d) -> NDArray[np.float64]:
    """Where USD itself says that a camera sees a point, from the image's top left corner."""
    frustum = camera.GetCamera(Usd.TimeCode.Default()).frustum
    view = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
    x, y, _ = view.Transform(point)
    return np.array([(x + 1) / 2 * SIZE[0], (1 - y) / 2 * SIZE[1]])


# ---------------------------------------------------------------- as the spec says


@pytest.mark.parametrize("task", TASKS)
def test_objects_cameras_and_lamp_are_where_the_spec_says(task: str) -> None:
    spec = spec_of(task)
    on, cameras = drawn(spec)
    for side in SIDES:
        item = spec.thing(side)
        pose = placed(on, f"{preview.ROOT}/{side}")
        np.testing.assert_allclose(pose.ExtractTranslation(), item.position, atol=1e-12)
        prim = on.GetPrimAtPath(f"{preview.ROOT}/{side}")
        scale = UsdGeom.Xformable(prim).GetOrderedXformOps()[-1].Get()
        assert tuple(scale) == pytest.approx([side / 2 for side in item.size])
        assert prim.GetTypeName() == {"box": "Cube", "sphere": "Sphere"}[item.shape]
    np.testing.assert_allclose(placed(on, f"{preview.ROOT}/lamp").ExtractTranslation(), spec.light.position)
    assert list(cameras) == [camera.name for camera in spec.cameras]
    for camera in spec.cameras:
        prim = UsdGeom.Camera(on.GetPrimAtPath(cameras[camera.name]))
        pose = prim.ComputeLocalToWorldTransform(Usd.TimeCode.Default())
        np.testing.assert_allclose(pose.ExtractTranslation(), camera.position, atol=1e-12)
        # USD multiplies rows from the left: its rotation is the transpose of ours.
        np.testing.assert_allclose(np.array(pose)[:3, :3].T, rotation(camera.quat_wxyz), atol=1e-9)
        assert prim.GetFocalLengthAttr().Get() == pytest.approx(camera.focal_length)
        assert prim.GetHorizontalApertureAttr().Get() == pytest.approx(20.955)
        assert prim.GetVerticalApertureAttr().Get() == pytest.approx(20.955 * SIZE[1] / SIZE[0])
        assert prim.GetClippingRangeAttr().Get()[0] == pytest.approx(camera.near)


def test_the_room_is_that_of_the_simulator() -> None:
    assert preview.TABLE_CENTER == world.TABLE_CENTER
    assert preview.TABLE_HALF == world.TABLE_HALF
    assert (preview.FLOOR_Z, preview.ROOM_HALF, preview.WALL_TOP) == (world.FLOOR_Z, world.ROOM_HALF, world.WALL_TOP)
    spec = spec_of("push")
    on, _ = drawn(spec)
    cache = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_])
    table = cache.ComputeWorldBound(on.GetPrimAtPath(f"{preview.ROOT}/table")).ComputeAlignedRange()
    assert table.GetMax()[2] == pytest.approx(0.0, abs=1e-9)
    np.testing.assert_allclose(list(table.GetMin())[:2], [0.1, -0.6], atol=1e-6)
    floor = cache.ComputeWorldBound(on.GetPrimAtPath(f"{preview.ROOT}/floor")).ComputeAlignedRange()
    assert floor.GetMax()[2] == pytest.approx(world.FLOOR_Z)
    wall = cache.ComputeWorldBound(on.GetPrimAtPath(f"{preview.ROOT}/wall0")).ComputeAlignedRange()
    assert wall.GetMin()[0] == pytest.approx(world.ROOM_HALF, abs=1e-6)


def test_colours_are_linear_and_bound() -> None:
    spec = spec_of("push")
    on, _ = drawn(spec)
    prim = on.GetPrimAtPath(f"{preview.ROOT}/left")
    material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial()
    shader = UsdShade.Shader(on.GetPrimAtPath(material.GetPath().AppendChild("shader")))
    found = np.array(shader.GetInput("diffuseColor").Get())
    srgb = np.where(found <= 0.0031308, found * 12.92, 1.055 * found ** (1 / 2.4) - 0.055)
    np.testing.assert_allclose(srgb, spec.thing("left").color, atol=1e-6)


# ---------------------------------------------------------------- any stage, and only for a look


@pytest.mark.parametrize(("unit", "up"), [(0.01, "Z"), (1.0, "Y"), (0.01, "Y")])
def test_units_and_axes_of_the_stage_do_not_change_the_pictures(unit: float, up: str) -> None:
    spec = spec_of("push")
    plain, cameras = drawn(spec)
    other, same = drawn(spec, stage(unit, up))
    for name in cameras:
        for side in SIDES:
            seen = [
                pixel(
                    UsdGeom.Camera(on.GetPrimAtPath(paths[name])),
                    placed(on, f"{preview.ROOT}/{side}").ExtractTranslation(),
                )
                for on, paths in ((plain, cameras), (other, same))
            ]
            np.testing.assert_allclose(seen[0], seen[1], atol=1e-3)
    left = placed(other, f"{preview.ROOT}/left").ExtractTranslation()
    height = left[1] if up == "Y" else left[2]
    assert height * unit == pytest.approx(spec.thing("left").position[2])


def test_the_users_own_file_is_left_alone_and_the_preview_goes_without_a_trace() -> None:
    on = stage()
    before = on.GetRootLayer().ExportToString()
    drawn(spec_of("push"), on)
    drawn(spec_of("drop"), on)
    assert on.GetPrimAtPath(preview.ROOT).IsValid()
    assert not on.GetPrimAtPath(f"{preview.ROOT}/cameras/back_wide").IsValid()
    assert on.GetRootLayer().ExportToString() == before
    assert preview.erase(on)
    assert not on.GetPrimAtPath(preview.ROOT).IsValid()
    assert on.GetSessionLayer().empty
    assert not preview.erase(on)


@pytest.mark.parametrize(("unit", "up"), [(1.0, "Z"), (0.01, "Y")])
def test_a_camera_of_the_stage_comes_back_as_a_rig_has_it(unit: float, up: str) -> None:
    spec = spec_of("push")
    on, cameras = drawn(spec, stage(unit, up))
    for camera in spec.cameras:
        found = preview.camera_of(on, cameras[camera.name])
        assert found is not None
        np.testing.assert_allclose(found["position"], camera.position, atol=1e-5)
        np.testing.assert_allclose(rotation(found["quat_wxyz"]), rotation(camera.quat_wxyz), atol=1e-6)
        assert found["focal_length"] == pytest.approx(camera.focal_length)
        assert found["near"] == pytest.approx(camera.near, abs=1e-6)
    assert preview.camera_of(on, "/World") is None
    assert preview.camera_of(on, "/nothing") is None


def test_a_lens_on_another_sensor_is_converted() -> None:
    on = stage()
    camera = UsdGeom.Camera.Define(on, "/World/Phone")
    camera.CreateFocalLengthAttr(6.0)
    camera.CreateHorizontalApertureAttr(20.955 / 4)
    found = preview.camera_of(on, "/World/Phone")
    assert found is not None
    assert found["focal_length"] == pytest.approx(24.0)


# ---------------------------------------------------------------- as MuJoCo shows it


Masks = dict[tuple[str, str], NDArray[np.bool_]]
"""Which pixels show an object, by camera and side."""


@pytest.fixture(scope="module", params=long_but(TASKS, "drop"))
def images(request: pytest.FixtureRequest) -> tuple[EpisodeSpec, Masks]:
    """The start of an episode as MuJoCo's cameras show it: pixels that change with an object's colour show it."""
    from hpvqa.sim import open_simulator
    from hpvqa.sim.planner import Planner
    from hpvqa.tasks import get_task

    spec = spec_of(request.param)
    simulator = open_simulator(SIZE)
    command = Planner(get_task(spec.task).waypoints(spec)).command(0.0)

    def render(**colors: tuple[float, float, float]) -> dict[str, NDArray[np.uint8]]:
        painted = with_things(spec, **{side: {"color": colors.get(side, (0.1, 0.1, 0.1))} for side in SIDES})
        simulator.reset(painted, command)
        return {camera.name: simulator.render(camera).copy() for camera in spec.cameras}

    plain = render()
    masks = {}
    for side in SIDES:
        for name, picture in render(**{side: (0.9, 0.9, 0.9)}).items():
            masks[name, side] = (picture != plain[name]).any(axis=2)
    return spec, masks


def outline(on: Usd.Stage, camera: UsdGeom.Camera, side: str) -> NDArray[np.float64]:
    """The box around an object's picture (left, top, right, bottom), from many points of its surface."""
    prim = on.GetPrimAtPath(f"{preview.ROOT}/{side}")
    if prim.IsA(UsdGeom.Cube):
        half = UsdGeom.Cube(prim).GetSizeAttr().Get() / 2
        local = half * np.array(np.meshgrid([-1, 1], [-1, 1], [-1, 1])).reshape(3, 8).T
    else:
        turns, rises = np.meshgrid(np.linspace(0, 2 * np.pi, 90), np.linspace(-np.pi / 2, np.pi / 2, 60))
        parts = [np.cos(rises) * np.cos(turns), np.cos(rises) * np.sin(turns), np.sin(rises)]
        local = UsdGeom.Sphere(prim).GetRadiusAttr().Get() * np.stack(parts, -1).reshape(-1, 3)
    pose = placed(on, str(prim.GetPath()))
    seen = np.array([pixel(camera, pose.Transform(Gf.Vec3d(*map(float, point)))) for point in local])
    return np.concatenate([seen.min(axis=0), seen.max(axis=0)])


@pytest.mark.simulation
def test_object_centres_land_where_mujoco_shows_them(images: tuple[EpisodeSpec, Masks]) -> None:
    spec, masks = images
    on, cameras = drawn(spec)
    compared = 0
    for (name, side), mask in masks.items():
        camera = UsdGeom.Camera(on.GetPrimAtPath(cameras[name]))
        box = outline(on, camera, side)
        rows, columns = np.nonzero(mask)
        assert len(rows), f"{name} does not show the {side} object"
        shown = np.array([columns.min(), rows.min(), columns.max() + 1, rows.max() + 1])
        # Whatever is seen of an object lies inside its outline, also where the robot stands before it.
        assert (shown[:2] > box[:2] - 1.5).all(), (name, side)
        assert (shown[2:] < box[2:] + 1.5).all(), (name, side)
        if np.abs(shown - box).max() < 1.5:
            compared += 1
            centre = pixel(camera, placed(on, f"{preview.ROOT}/{side}").ExtractTranslation())
            assert np.linalg.norm(centre - (shown[:2] + shown[2:]) / 2) < 3, (name, side)
    assert compared >= 10


# ---------------------------------------------------------------- from the panel


def previewed(kit: Session) -> None:
    kit.click("preview")
    kit.until(lambda: kit.extension._collector.scene.cameras)


@pytest.mark.long
def test_the_panel_previews_what_hpvqa_samples(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.unfold("Preview")
        kit.click("preview")
        kit.until(lambda: kit.texts()["notice"] == "No stage is open; make or open one first")
        kit.usd.stage = stage()
        kit.type("option.preview_index", 1)
        kit.type("seed", 5)
        kit.type("resolution.0", 480)
        previewed(kit)
        spec = EpisodeSpec.model_validate(_sampled(tmp_path))
        assert (spec.seed, spec.index) == (5, 1)
        for side in SIDES:
            place = placed(kit.usd.stage, f"{preview.ROOT}/{side}").ExtractTranslation()
            np.testing.assert_allclose(place, spec.thing(side).position, atol=1e-12)
        kit.click("preview.look.back_wide")
        assert kit.viewport.camera_path == f"{preview.ROOT}/cameras/back_wide"
        scene = kit.extension._collector.scene
        kit.until(lambda: scene.pictures)
        for camera in spec.cameras:
            kit.find(f"preview.picture.{camera.name}")
            with Image.open(scene.pictures[camera.name]) as picture:
                assert picture.size == (224, 224)
        kit.click("preview.remove")
        assert not scene.pictures
        assert not kit.usd.stage.GetPrimAtPath(preview.ROOT).IsValid()
        assert not kit.find("preview.remove").enabled


def _sampled(tmp_path: Path) -> dict[str, Any]:
    import subprocess
    import sys

    arguments = ["sample", "push", "--index", "1", "--json", "--recipe", str(tmp_path / "state" / "job.yaml")]
    done = subprocess.run([sys.executable, "-m", "hpvqa", *arguments], capture_output=True, text=True, timeout=PATIENCE)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


@pytest.mark.slow
def test_a_closed_stage_takes_the_preview_along_and_the_panel_forgets_it(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.usd.stage = stage()
        kit.unfold("Preview")
        previewed(kit)
        kit.dispatcher.dispatch("stage:CLOSING")
        kit.usd.stage = None
        kit.frame()
        assert not kit.find("preview.remove").enabled


@pytest.mark.slow
def test_cameras_are_added_from_the_viewport_and_the_selection(tmp_path: Path, panel: Opens) -> None:
    with panel(tmp_path) as kit:
        kit.unfold("Cameras")
        kit.until(lambda: kit.extension._collector.table is not None)
        kit.click("rig.viewport")
        assert kit.texts()["notice"] == "No stage is open; make or open one first"
        kit.usd.stage = on = stage()
        kit.click("rig.viewport")
        assert kit.texts()["notice"] == "There is no viewport with a camera; open one first"
        camera = UsdGeom.Camera.Define(on, "/World/SideView")
        UsdGeom.XformCommonAPI(camera).SetTranslate(Gf.Vec3d(1, 2, 3))
        kit.viewport.camera_path = Sdf.Path("/World/SideView")
        kit.click("rig.viewport")
        assert kit.find("camera.side_view.position.1").model.as_float == 2.0
        assert kit.find("camera.side_view.quat_wxyz.0").model.as_float == 1.0
        kit.click("rig.selected")
        assert kit.texts()["notice"] == "No camera is selected; select one in the stage first"
        kit.usd.selected = ["/World", "/World/SideView"]
        kit.click("rig.selected")
        assert kit.find("camera.side_view_2.position.1").model.as_float == 2.0
        kit.until(lambda: kit.texts()["estimate"].startswith("0 of 240"))
