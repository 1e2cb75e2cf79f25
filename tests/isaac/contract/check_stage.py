"""Isaac Lab's real spawners author our scene on a real USD stage; what they wrote is read back."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from pxr import Gf, Usd, UsdGeom, UsdLux, UsdPhysics

from hpvqa.errors import RunError, UsageError
from hpvqa.scene import room
from hpvqa.scene.camera import fovy, project
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.isaac import names, robot, spawn
from hpvqa.sim.isaac.environment import scene
from hpvqa.sim.isaac.look import apply_look, linear, look_errors
from tests.isaac.contract import kit
from tests.isaac.contract.worlds import settings, specs
from tests.worlds import sample

HOUSE = "/World/envs/env_0"
tasks = pytest.mark.parametrize("task", ["push", "drop"])


def authored(spec: EpisodeSpec) -> Usd.Stage:
    """One environment, but for the robot, whose model is not at hand."""
    stage = kit.new_stage()
    UsdGeom.Xform.Define(stage, "/World/envs")
    UsdGeom.Xform.Define(stage, HOUSE)
    for name, part in vars(scene(settings(spec, environments=1))).items():
        if name == names.ROBOT or getattr(part, "spawn", None) is None:
            continue
        path = part.prim_path.format(ENV_REGEX_NS=HOUSE)
        place = part.offset if hasattr(part, "offset") else part.init_state
        part.spawn.func(path, part.spawn, translation=place.pos, orientation=place.rot)
    return stage


def prim(stage: Usd.Stage, name: str) -> Usd.Prim:
    found = stage.GetPrimAtPath(f"{HOUSE}/{name}")
    assert found, name
    return found


def pose(found: Usd.Prim) -> Gf.Matrix4d:
    return UsdGeom.XformCache().GetLocalToWorldTransform(found)


def box(stage: Usd.Stage, name: str) -> Any:
    cache = UsdGeom.BBoxCache(Usd.TimeCode.Default(), [UsdGeom.Tokens.default_])
    extent = cache.ComputeWorldBound(prim(stage, name)).ComputeAlignedRange()
    return np.array(extent.GetMin()), np.array(extent.GetMax())


@tasks
def test_objects_have_their_shapes_masses_materials_and_places(task: str) -> None:
    spec = sample(task)
    stage = authored(spec)
    for side in ("left", "right"):
        item, found = spec.thing(side), prim(stage, side)
        assert tuple(pose(found).ExtractTranslation()) == pytest.approx(item.position)
        low, high = box(stage, side)
        assert high - low == pytest.approx(item.size, abs=1e-6)
        assert prim(stage, f"{side}/geometry/mesh").GetTypeName() == ("Cube" if task == "push" else "Sphere")
        assert found.HasAPI(UsdPhysics.RigidBodyAPI)
        assert UsdPhysics.MassAPI(found).GetMassAttr().Get() == pytest.approx(item.mass)
        assert kit.has_schema(found, "PhysxContactReportAPI")
        assert found.GetAttribute("physxRigidBody:angularDamping").Get() == 0.0
        assert found.GetAttribute("physxRigidBody:sleepThreshold").Get() == 0.0
        material = prim(stage, f"{side}/geometry/physics")
        values = UsdPhysics.MaterialAPI(material)
        assert values.GetStaticFrictionAttr().Get() == pytest.approx(item.friction)
        assert values.GetDynamicFrictionAttr().Get() == pytest.approx(item.friction)
        assert values.GetRestitutionAttr().Get() == pytest.approx(item.restitution)
        assert material.GetAttribute("physxMaterial:restitutionCombineMode").Get() == "max"
        assert material.GetAttribute("physxMaterial:frictionCombineMode").Get() == "multiply"
        bound = prim(stage, f"{side}/geometry/mesh").GetRelationship("material:binding:physics").GetTargets()
        assert [str(path) for path in bound] == [f"{HOUSE}/{side}/geometry/physics"]


def test_the_table_is_a_kinematic_body_of_friction_1_and_restitution_0() -> None:
    stage = authored(sample("push"))
    assert UsdPhysics.RigidBodyAPI(prim(stage, "table")).GetKinematicEnabledAttr().Get() is True
    values = UsdPhysics.MaterialAPI(prim(stage, "table/geometry/physics"))
    assert (values.GetStaticFrictionAttr().Get(), values.GetDynamicFrictionAttr().Get()) == (1.0, 1.0)
    assert values.GetRestitutionAttr().Get() == 0.0
    # It is the table that decides how values combine: what is written by tensor loses its modes.
    material = prim(stage, "table/geometry/physics")
    assert material.GetAttribute("physxMaterial:restitutionCombineMode").Get() == "max"
    assert material.GetAttribute("physxMaterial:frictionCombineMode").Get() == "multiply"
    low, high = box(stage, "table")
    assert high[2] == pytest.approx(0, abs=1e-9)
    assert (low + high)[:2] / 2 == pytest.approx(room.TABLE_CENTER)
    assert prim(stage, "table/geometry/mesh").HasAPI(UsdPhysics.CollisionAPI)
    assert not prim(stage, "floor/geometry/mesh").HasAPI(UsdPhysics.CollisionAPI)


def test_no_light_gets_out_of_a_room() -> None:
    """Rays from the lamp in all directions end at a wall, and the walls of neighbours do not overlap."""
    stage = authored(sample("drop"))
    shell = [box(stage, name) for name in ("floor", "ceiling", *(names.wall(number) for number in range(4)))]
    lamp = np.array([1.3, -1.7, 2.0])
    rng = np.random.default_rng(0)
    directions = rng.normal(size=(3000, 3))
    # The edges and corners, where two walls meet, are where light would leak.
    edges = [np.array(point) for point in np.ndindex(3, 3, 3)]
    middle, half = np.array([0, 0, 0.875]), np.array([3.0, 3.0, 1.625])
    directions = np.vstack([directions, [middle + half * (edge - 1) - lamp for edge in edges]])
    for direction in directions:
        if np.linalg.norm(direction) > 1e-9:
            assert any(hits(lamp, direction, low, high) for low, high in shell), direction
    outer = np.array([high for _, high in shell]).max(axis=0) - np.array([low for low, _ in shell]).min(axis=0)
    assert (outer[:2] < spawn.SPACING).all()


def hits(start: Any, direction: Any, low: Any, high: Any) -> bool:
    with np.errstate(divide="ignore", invalid="ignore"):
        near, far = (low - start) / direction, (high - start) / direction
    first, last = np.nanmin([near, far], axis=0), np.nanmax([near, far], axis=0)
    return bool(first.max() <= last.min() and last.min() > 0)


@tasks
def test_cameras_have_the_rig_s_poses_and_lenses(task: str) -> None:
    spec = sample(task)
    stage = authored(spec)
    for camera in spec.cameras:
        found = UsdGeom.Camera(prim(stage, names.camera(camera.name)))
        lens = found.GetCamera()
        assert lens.focalLength == pytest.approx(camera.focal_length)
        assert lens.horizontalAperture == pytest.approx(20.955)
        assert np.radians(lens.GetFieldOfView(Gf.Camera.FOVVertical)) == pytest.approx(
            fovy(camera.focal_length, 128, 96)
        )
        assert found.GetClippingRangeAttr().Get()[0] == pytest.approx(camera.near)
        assert tuple(lens.transform.ExtractTranslation()) == pytest.approx(camera.position)


@tasks
def test_usd_projects_the_objects_to_where_our_geometry_does(task: str) -> None:
    spec = sample(task, 3)
    stage = authored(spec)
    points = [spec.thing("left").position, spec.thing("right").position, (0.5, 0.1, 0.2)]
    for camera in spec.cameras:
        lens = UsdGeom.Camera(prim(stage, names.camera(camera.name))).GetCamera()
        frustum = lens.frustum
        projection = frustum.ComputeViewMatrix() * frustum.ComputeProjectionMatrix()
        expected = project(camera, points, 640, 480)
        for point, pixel in zip(points, expected, strict=True):
            device = projection.Transform(Gf.Vec3d(*point))
            assert ((1 + device[0]) * 320, (1 - device[1]) * 240) == pytest.approx(tuple(pixel), abs=0.01)


def test_an_isaac_lab_camera_keeps_an_opengl_pose_as_it_is() -> None:
    import torch
    from isaaclab.utils.math import convert_camera_frame_orientation_convention

    quat = torch.tensor([sample("push").cameras[2].quat_wxyz])
    kept = convert_camera_frame_orientation_convention(quat, origin="opengl", target="opengl")
    assert kept.tolist() == quat.tolist()


@tasks
def test_another_spec_repaints_the_room_and_moves_the_lamp(task: str) -> None:
    first, second = specs(task, 2)
    stage = authored(first)
    assert look_errors(stage, HOUSE, second)
    apply_look(stage, HOUSE, second)
    assert look_errors(stage, HOUSE, second) == []
    assert UsdLux.SphereLight(prim(stage, names.LAMP))
    assert tuple(pose(prim(stage, names.LAMP)).ExtractTranslation()) == pytest.approx(second.light.position)
    shader = stage.GetPrimAtPath(names.shader(f"{HOUSE}/table"))
    assert tuple(shader.GetAttribute("inputs:diffuseColor").Get()) == pytest.approx(linear(second.room.table))
    assert len({len(words) for words in map(str, look_errors(stage, HOUSE, first))}) > 0


def model(path: Any, fingers: tuple[str, str] | None) -> str:
    """A robot's file whose gripper is a variant, as Isaac Sim's has it."""
    stage = Usd.Stage.CreateNew(str(path))
    root = UsdGeom.Xform.Define(stage, "/panda").GetPrim()
    stage.SetDefaultPrim(root)
    for number in range(8):
        UsdPhysics.RigidBodyAPI.Apply(UsdGeom.Xform.Define(stage, f"/panda/panda_link{number}").GetPrim())
    choices = root.GetVariantSets().AddVariantSet("Gripper")
    for choice, bodies in (("Default", ("panda_hand",)), ("Robotiq_2F_85", ("base_link", *(fingers or ())))):
        choices.AddVariant(choice)
        choices.SetVariantSelection(choice)
        with choices.GetVariantEditContext():
            for body in bodies:
                UsdPhysics.RigidBodyAPI.Apply(UsdGeom.Xform.Define(stage, f"/panda/{choice}_edit/{body}").GetPrim())
    choices.SetVariantSelection("Default")
    stage.Save()
    return str(path)


@pytest.mark.parametrize("fingers", names.FINGERS)
def test_the_gripper_s_bodies_are_read_from_the_model(fingers: tuple[str, str], tmp_path: Any) -> None:
    path = model(tmp_path / "robot.usda", fingers)
    found = robot.moving_bodies(path)
    assert sorted(found) == sorted(f"Robotiq_2F_85_edit/{body}" for body in ("base_link", *fingers))
    assert robot.finger_names([body.rsplit("/", 1)[-1] for body in found]) == fingers


def test_a_model_without_a_gripper_we_know_is_refused_with_its_bodies(tmp_path: Any) -> None:
    path = model(tmp_path / "robot.usda", None)
    with pytest.raises(RunError, match=r"no fingers that this version knows; its bodies are: Robotiq_2F_85_edit/base"):
        robot.moving_bodies(path)
    with pytest.raises(UsageError, match=r"cannot be read; .* set HPVQA_ISAAC_ASSETS"):
        robot.moving_bodies(str(tmp_path / "missing.usd"))
