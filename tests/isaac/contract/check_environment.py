"""Our configuration of the environment, built and validated by the real Isaac Lab."""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Any, Literal

import pytest
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.sim import RigidBodyMaterialCfg

from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.environment import EnvironmentCfg, environment
from hpvqa.sim.isaac.timing import substeps, timestep
from tests.isaac.contract.worlds import BODIES, settings
from tests.worlds import sample

tasks = pytest.mark.parametrize("task", ["push", "drop"])


@tasks
@pytest.mark.parametrize("fps", [10, 15, 30, 60])
def test_the_whole_configuration_is_valid(task: str, fps: int) -> None:
    config = environment(settings(sample(task), fps=fps))
    assert isinstance(config, ManagerBasedRLEnvCfg)
    config.validate()
    assert config.decimation == config.sim.render_interval == config.actions.arm.substeps == substeps(fps)
    assert config.sim.dt * config.decimation * fps == pytest.approx(1)
    assert 1 / config.sim.dt >= 240
    assert config.sim.physx.bounce_threshold_velocity == 0.1
    assert config.sim.render.antialiasing_mode == "FXAA"
    assert config.sim.render.enable_dl_denoiser is False
    assert config.sim.render.rendering_mode == "quality"
    assert config.scene.replicate_physics is False
    assert config.ui_window_class_type is None
    assert config.seed is not None


@pytest.mark.parametrize(("fps", "steps"), [(10, 24), (15, 16), (24, 10), (30, 8), (50, 5), (240, 1), (300, 1)])
def test_time_is_divided_as_the_design_says(fps: int, steps: int) -> None:
    assert substeps(fps) == steps
    assert timestep(fps) == pytest.approx(1 / (fps * steps))


@tasks
def test_it_holds_what_the_spec_names(task: str) -> None:
    spec = sample(task)
    scene = environment(settings(spec)).scene
    for camera in spec.cameras:
        found = getattr(scene, names.camera(camera.name))
        assert (found.offset.pos, found.offset.rot) == (camera.position, camera.quat_wxyz)
        assert found.offset.convention == "opengl"
        assert found.spawn.focal_length == camera.focal_length
        assert found.spawn.clipping_range[0] == camera.near
        assert (found.width, found.height) == (128, 96)
    cubes = type(scene.left.spawn).__name__ == "CuboidCfg"
    assert cubes == (task == "push")
    for side in ("left", "right"):
        material = getattr(scene, side).spawn.physics_material
        assert material.restitution_combine_mode == "max"
        assert material.friction_combine_mode == "multiply"
        paths = getattr(scene, names.contact(side)).filter_prim_paths_expr
        assert [path.rsplit("/", 1)[-1] for path in paths[:2]] == ["table", {"left": "right", "right": "left"}[side]]
        assert paths[2:] == [f"{names.ENVIRONMENT}/{names.ROBOT}/{body}" for body in BODIES]


def test_sensors_come_after_what_they_sense() -> None:
    order = list(vars(environment(settings(sample("push"))).scene))
    assert order.index("contact_left") > max(order.index(name) for name in ("robot", "table", "left", "right"))


def test_the_robot_stands_at_the_origin_with_the_panda_s_limits() -> None:
    robot = environment(settings(sample("push"))).scene.robot
    assert robot.init_state.pos == (0.0, 0.0, 0.0)
    assert robot.spawn.variants == {"Gripper": "Robotiq_2F_85"}
    assert robot.spawn.rigid_props.disable_gravity
    assert robot.actuators["shoulder"].effort_limit_sim == 87.0
    assert robot.actuators["forearm"].effort_limit_sim == 12.0
    covered = [name for actuator in robot.actuators.values() for name in actuator.joint_names_expr]
    assert len(covered) == len(set(covered))


def test_the_model_and_its_joints_are_those_of_isaac_lab_s_own_configuration() -> None:
    from isaaclab_assets.robots.franka import FRANKA_ROBOTIQ_GRIPPER_CFG as THEIRS

    ours = environment(settings(sample("push"))).scene.robot
    assert ours.spawn.usd_path == THEIRS.spawn.usd_path
    assert ours.spawn.variants == THEIRS.spawn.variants
    assert set(ours.init_state.joint_pos) <= set(THEIRS.init_state.joint_pos)

    def joints(config: object) -> set[str]:
        """Of the gripper; those of the arm are written out in ours."""
        named = [name for drive in config.actuators.values() for name in drive.joint_names_expr]
        return {name for name in named if not name.startswith("panda_joint")}

    assert joints(ours) == joints(THEIRS)


def test_a_field_that_isaac_lab_does_not_have_is_refused() -> None:
    with pytest.raises(TypeError):
        EnvironmentCfg(decimatoin=1)
    config = environment(settings(sample("push")))
    config.scene.left.spawn.size = dataclasses.MISSING
    with pytest.raises(TypeError, match="size"):
        config.validate()


class Unknown(type):
    """A class that stands for one whose module is not imported, and for what is in it."""

    def __getattr__(cls, name: str) -> type:
        return object


def type_hints(kind: type) -> dict[str, Any]:
    """Types of a configuration's fields; names that are imported for type checkers alone are any object."""
    unknown: dict[str, Any] = {}
    while True:
        try:
            return typing.get_type_hints(kind, localns=unknown)
        except NameError as error:
            unknown[error.name] = Unknown(error.name, (), {})


def literals(value: Any, path: str = "") -> Iterator[tuple[str, Any, Any]]:
    """Every field of a configuration, and of those in it, whose type is a choice of values."""
    if not dataclasses.is_dataclass(value) or isinstance(value, type):
        return
    hints = type_hints(type(value))
    for name, part in vars(value).items():
        where = f"{path}.{name}"
        choices = [hints.get(name), *typing.get_args(hints.get(name))]
        allowed = [option for choice in choices if typing.get_origin(choice) is Literal for option in choice.__args__]
        if allowed:
            yield where, part, [*allowed, *([None] if type(None) in typing.get_args(hints[name]) else [])]
        yield from literals(part, where)


@tasks
def test_every_choice_is_one_that_isaac_lab_knows(task: str) -> None:
    found = list(literals(environment(settings(sample(task)))))
    assert {path: value for path, value, allowed in found if value not in allowed} == {}
    checked = {path.rsplit(".", 1)[-1] for path, _, _ in found}
    assert {"friction_combine_mode", "restitution_combine_mode", "convention", "antialiasing_mode"} <= checked


def test_a_wrong_choice_would_be_found() -> None:
    config = RigidBodyMaterialCfg(restitution_combine_mode="biggest")
    wrong = [path for path, value, allowed in literals(config) if value not in allowed]
    assert wrong == [".restitution_combine_mode"]
