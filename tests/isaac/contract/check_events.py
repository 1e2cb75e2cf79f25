"""Our event term, accepted and run by the real EventManager on CPU tensors."""

from __future__ import annotations

import types
from typing import Any

import pytest
import torch
from isaaclab.assets import Articulation, RigidObject
from isaaclab.managers import EventManager, EventTermCfg

from hpvqa.scene.spec import SIDES, EpisodeSpec
from hpvqa.sim.inertia import inertia
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.apply import ApplySpecs
from hpvqa.sim.isaac.environment import EventsCfg
from hpvqa.sim.isaac.look import linear, surfaces
from tests.isaac.contract import kit
from tests.isaac.contract.standins import View, keeps_signatures
from tests.isaac.contract.worlds import specs
from tests.worlds import sample

tasks = pytest.mark.parametrize("task", ["push", "drop"])


class Thing:
    """An asset whose methods take what Isaac Lab's take, and remember it."""

    def __init__(self, count: int, shapes: int = 1) -> None:
        self.root_physx_view = View(count, shapes)
        self.poses, self.velocities = torch.zeros(count, 7), torch.ones(count, 6)
        zeros = torch.zeros(count, 13)
        self.data = types.SimpleNamespace(default_joint_pos=zeros, default_joint_vel=zeros)
        self.joints_reset: list[int] = []

    def write_root_pose_to_sim(self, root_pose: Any, env_ids: Any = None) -> None:
        self.poses[env_ids] = root_pose

    def write_root_velocity_to_sim(self, root_velocity: Any, env_ids: Any = None) -> None:
        self.velocities[env_ids] = root_velocity

    def write_joint_state_to_sim(
        self, position: Any, velocity: Any, joint_ids: Any = None, env_ids: Any = None
    ) -> None:
        self.joints_reset += env_ids.tolist()


keeps_signatures(Thing, RigidObject, "write_root_pose_to_sim", "write_root_velocity_to_sim")
keeps_signatures(Thing, Articulation, "write_joint_state_to_sim")


class Scene(dict):  # type: ignore[type-arg]
    def __init__(self, count: int) -> None:
        super().__init__({names.ROBOT: Thing(count, shapes=12), **{side: Thing(count) for side in SIDES}})
        self.stage = kit.new_stage()
        self.num_envs = count
        self.cfg = types.SimpleNamespace(replicate_physics=False)
        self.env_origins = torch.arange(count * 3, dtype=torch.float32).reshape(count, 3)
        self.env_prim_paths = [f"/World/envs/env_{number}" for number in range(count)]
        for path in self.env_prim_paths:
            _paintable(self.stage, path)


def _paintable(stage: Any, environment: str) -> None:
    from pxr import Sdf, UsdGeom, UsdShade

    for name in (names.TABLE, names.FLOOR, *(names.wall(number) for number in range(4)), *SIDES):
        shader = UsdShade.Shader.Define(stage, names.shader(f"{environment}/{name}"))
        shader.CreateInput("diffuseColor", Sdf.ValueTypeNames.Color3f)
    UsdGeom.Xform.Define(stage, f"{environment}/{names.LAMP}").AddTranslateOp()


def world(count: int) -> Any:
    simulation = types.SimpleNamespace(is_playing=lambda: True)
    return types.SimpleNamespace(num_envs=count, device="cpu", scene=Scene(count), sim=simulation)


def manager(env: Any) -> tuple[EventManager, ApplySpecs]:
    made = EventManager(EventsCfg(), env)
    return made, made.get_term_cfg("specs").func


def applied(wanted: list[EpisodeSpec], env: Any = None) -> Any:
    env = env or world(len(wanted))
    events, term = manager(env)
    term.assign(wanted)
    events.apply(mode="reset", env_ids=torch.arange(len(wanted)), global_env_step_count=0)
    assert not any(term.mismatches.values())
    return env


def held(env: Any, number: int) -> dict[str, list[float]]:
    """Everything that one environment has of its spec."""
    found: dict[str, list[float]] = {}
    for side in SIDES:
        view = env.scene[side].root_physx_view
        found[f"{side} mass"] = view.masses[number].tolist()
        found[f"{side} inertia"] = view.inertias[number].tolist()
        found[f"{side} material"] = view.materials[number].flatten().tolist()
        local = env.scene[side].poses[number].clone()
        local[:3] -= env.scene.env_origins[number]
        found[f"{side} pose"] = [round(value, 5) for value in local.tolist()]
    path, stage = env.scene.env_prim_paths[number], env.scene.stage
    for name in (names.TABLE, names.FLOOR, "wall_0", "wall_3", "left", "right"):
        attribute = stage.GetPrimAtPath(names.shader(f"{path}/{name}")).GetAttribute("inputs:diffuseColor")
        found[f"{name} color"] = list(attribute.Get())
    found["lamp"] = list(stage.GetPrimAtPath(f"{path}/{names.LAMP}").GetAttribute("xformOp:translate").Get())
    return found


@tasks
def test_every_environment_gets_its_own_spec(task: str) -> None:
    wanted = specs(task, 4)
    env = applied(wanted)
    for number, spec in enumerate(wanted):
        for side in SIDES:
            item, view = spec.thing(side), env.scene[side].root_physx_view
            assert view.masses[number].item() == pytest.approx(item.mass)
            assert view.inertias[number].reshape(3, 3).diagonal().tolist() == pytest.approx(list(inertia(item)))
            expected = [item.friction, item.friction, item.restitution]
            assert view.materials[number, 0].tolist() == pytest.approx(expected)
        found = held(env, number)
        assert found["lamp"] == pytest.approx(spec.light.position)
        for name in ("left", "wall_3"):
            assert found[f"{name} color"] == pytest.approx(linear(surfaces(spec)[name]))
    assert (env.scene[names.ROBOT].root_physx_view.materials == torch.tensor([1.0, 1.0, 0.0])).all()
    assert env.scene[names.ROBOT].joints_reset == [0, 1, 2, 3]
    assert not env.scene["left"].velocities.any()


@tasks
def test_the_same_spec_means_the_same_whatever_its_place_and_the_number_of_environments(task: str) -> None:
    spec = sample(task, 5)
    alone = held(applied([spec]), 0)
    third = held(applied([sample(task, 1), sample(task, 2), spec, sample(task, 3)]), 2)
    assert third == alone
    env = applied([sample(task, 7)])
    assert held(env, 0) != alone
    again = applied([spec], env)
    assert held(again, 0) == alone


def test_only_the_environments_that_are_reset_change() -> None:
    env = world(3)
    events, term = manager(env)
    term.assign(specs("drop", 3))
    events.apply(mode="reset", env_ids=torch.tensor([1]), global_env_step_count=0)
    materials = env.scene["left"].root_physx_view.materials
    assert materials[1].any()
    assert not materials[0].any()
    assert not materials[2].any()


def test_nothing_happens_before_specs_are_assigned() -> None:
    env = world(2)
    events, _ = manager(env)
    events.apply(mode="reset", env_ids=torch.arange(2), global_env_step_count=0)
    assert not env.scene["left"].root_physx_view.materials.any()


def test_as_many_specs_as_environments() -> None:
    _, term = manager(world(2))
    with pytest.raises(ValueError, match="2 environments need as many specs, not 1"):
        term.assign(specs("push", 1))


@pytest.mark.parametrize("lost", ["masses", "inertias", "materials"])
def test_what_physx_does_not_take_is_named(lost: str) -> None:
    env = world(2)
    env.scene["right"].root_physx_view.deaf = lost
    events, term = manager(env)
    term.assign(specs("drop" if lost == "materials" else "push", 2))
    events.apply(mode="reset", env_ids=torch.arange(2), global_env_step_count=0)
    assert set(term.mismatches) == {0, 1}
    word = {"masses": "mass", "inertias": "inertia", "materials": "restitution"}[lost]
    noun = "sphere" if lost == "materials" else "cube"
    assert all(f"the {word} of the right {noun}" in words for words in term.mismatches.values())
    assert not any("left" in word for words in term.mismatches.values() for word in words)


def test_a_robot_that_keeps_its_own_friction_is_noticed() -> None:
    env = world(2)
    env.scene[names.ROBOT].root_physx_view.deaf = "materials"
    events, term = manager(env)
    term.assign(specs("push", 2))
    events.apply(mode="reset", env_ids=torch.arange(2), global_env_step_count=0)
    assert list(term.mismatches.values()) == [["the robot's friction and restitution"]] * 2


def test_isaac_lab_checks_our_term() -> None:
    wrong = {"specs": EventTermCfg(func=ApplySpecs, mode="reset", params={"spec": 1})}
    term = EventManager(wrong, world(1))
    term.get_term_cfg("specs").func.assign(specs("push", 1))
    with pytest.raises(TypeError, match="spec"):
        term.apply(mode="reset", env_ids=torch.arange(1), global_env_step_count=0)
