"""The robot's USD file: made once from the pinned MJCF, mended where damaged, with all that PhysX needs."""

from __future__ import annotations

import os
from importlib.util import find_spec
from pathlib import Path

import pytest

from hpvqa.resources import default_cache
from hpvqa.sim.isaaclab3 import names
from hpvqa.sim.isaaclab3.robot_file import robot_file
from hpvqa.sim.mujoco.assets import robot_dir

pytestmark = [
    pytest.mark.isaaclab,
    pytest.mark.skipif(find_spec("mujoco_usd_converter") is None, reason="needs Isaac Lab 3: make isaac-test"),
]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    cache = tmp_path_factory.mktemp("cache")
    return robot_file(robot_dir(default_cache(os.environ)), cache), cache


def test_it_is_made_once_and_again_when_damaged(made: tuple[Path, Path]) -> None:
    file, cache = made
    said: list[str] = []
    model = robot_dir(default_cache(os.environ))
    assert robot_file(model, cache, said.append) == file
    assert said == []
    file.write_bytes(file.read_bytes()[:-1])
    assert robot_file(model, cache, said.append) == file
    assert said == ["Making the robot's USD file, the first time"]
    there = [path.name for path in cache.iterdir()]
    assert sorted(there) == sorted([".lock", file.name, file.with_suffix(".sha256").name])


def test_physx_finds_what_it_needs(made: tuple[Path, Path]) -> None:
    from pxr import Usd, UsdPhysics, UsdShade

    stage = Usd.Stage.Open(str(made[0]))
    root = stage.GetDefaultPrim()
    assert root.GetName() == names.ROOT
    prims = list(stage.Traverse())
    joints = {prim.GetName() for prim in prims if prim.IsA(UsdPhysics.RevoluteJoint)}
    assert joints == {*names.ARM_JOINTS, *names.FINGER_JOINTS, *names.COUPLER_JOINTS}
    assert not [prim for prim in prims if prim.IsA(UsdPhysics.SphericalJoint) or prim.IsA(UsdPhysics.Scene)]
    for prim in prims:
        if prim.HasAPI(UsdPhysics.RigidBodyAPI):
            assert prim.HasAPI(UsdPhysics.MassAPI), prim.GetPath()
        if prim.HasAPI(UsdPhysics.CollisionAPI):
            material, _ = UsdShade.MaterialBindingAPI(prim).ComputeBoundMaterial("physics")
            assert material.GetPath().name == ("Link" if "spring_link" in prim.GetName() else "Partner")
            share = UsdPhysics.MaterialAPI(material.GetPrim()).GetDynamicFrictionAttr().Get()
            assert share == pytest.approx(0.2 if material.GetPath().name == "Link" else 1.0)
            assert material.GetPrim().GetAttribute("physxMaterial:frictionCombineMode").Get() == "multiply"
            assert material.GetPrim().GetAttribute("physxMaterial:compliantContactStiffness").Get() > 0.0
            assert material.GetPrim().GetAttribute("physxMaterial:compliantContactDamping").Get() > 0.0
