"""Our simulator on the real ManagerBasedRLEnv: real managers, reset and step; only scene and physics are stood in."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest
import torch
from isaaclab.envs import ManagerBasedRLEnv

from hpvqa.record.episode import EpisodeRecord
from hpvqa.record.recorder import record_episodes
from hpvqa.scene.spec import SIDES, EpisodeSpec
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.environment import environment
from hpvqa.sim.isaac.panda import HOME
from hpvqa.sim.isaac.simulator import IsaacSimulator
from hpvqa.sim.planner import Planner
from hpvqa.tasks import TASKS
from tests.isaac.contract import kit
from tests.isaac.contract.check_events import Thing, _paintable
from tests.isaac.contract.standins import Panda
from tests.isaac.contract.worlds import settings, specs

COUNT = 3
FPS = 30
STEPS = 8


class Arm(Panda):
    """A robot that can be reset, and counted by Isaac Lab."""

    num_joints, num_bodies = 8, 10

    def __init__(self, origins: torch.Tensor) -> None:
        super().__init__(COUNT, origins, HOME)
        self.root_physx_view = types.SimpleNamespace(get_jacobians=self._jacobians, **_materials(COUNT))

    def write_joint_state_to_sim(
        self, position: Any, velocity: Any, joint_ids: Any = None, env_ids: Any = None
    ) -> None:
        self.angles[env_ids] = position
        self.speeds[env_ids] = velocity

    @property
    def data(self) -> Any:
        found = super().data
        found.default_joint_pos = torch.tensor([*HOME, 0.0]).repeat(COUNT, 1)
        found.default_joint_vel = torch.zeros(COUNT, 8)
        return found


def _materials(count: int) -> dict[str, Any]:
    view = Thing(count, 12).root_physx_view
    return {name: getattr(view, name) for name in ("get_material_properties", "set_material_properties")}


class Object(Thing):
    """An object that stays where it is put, or is drawn aside by ``drift`` [m] in each step."""

    drift = 0.0

    def __init__(self, count: int) -> None:
        super().__init__(count)
        self.data = types.SimpleNamespace()
        self.step()

    def write_root_pose_to_sim(self, root_pose: Any, env_ids: Any = None) -> None:
        super().write_root_pose_to_sim(root_pose, env_ids)
        self.step()

    def step(self) -> None:
        self.poses[:, 0] += self.drift
        self.data.root_pos_w, self.data.root_quat_w = self.poses[:, :3].clone(), self.poses[:, 3:].clone()
        self.data.root_lin_vel_w = self.velocities[:, :3].clone()


class Scene(dict):  # type: ignore[type-arg]
    def __init__(self, spec: EpisodeSpec, config: Any) -> None:
        self.env_origins = torch.tensor([[7.0 * number, -7.0, 0.0] for number in range(COUNT)])
        super().__init__({names.ROBOT: Arm(self.env_origins), **{side: Object(COUNT) for side in SIDES}})
        for side in SIDES:
            forces = torch.zeros(COUNT, 1, 5, 3)
            forces[:, :, 0, 2] = 1.0
            self[names.contact(side)] = types.SimpleNamespace(data=types.SimpleNamespace(force_matrix_w=forces))
        self.cfg, self.num_envs = config, COUNT
        self.stage = kit.new_stage()
        self.env_prim_paths = [f"/World/envs/env_{number}" for number in range(COUNT)]
        for path in self.env_prim_paths:
            _paintable(self.stage, path)
        self.cameras = [names.camera(camera.name) for camera in spec.cameras]
        self.log: list[str] = []
        self.set: dict[str, Any] = {}
        self.drawn = 0
        self.frozen = False
        for camera in self.cameras:
            self[camera] = types.SimpleNamespace(data=types.SimpleNamespace(output={}))
        self.draw()

    def draw(self) -> None:
        """Paint every camera's picture with the colours of the rooms as they are on the stage."""
        self.drawn += 1
        if self.frozen:
            return
        picture = np.zeros((COUNT, 48, 64, 3), np.uint8)
        for number, path in enumerate(self.env_prim_paths):
            for part, name in enumerate((names.TABLE, names.FLOOR, "wall_0", "wall_1")):
                shader = self.stage.GetPrimAtPath(names.shader(f"{path}/{name}"))
                color = shader.GetAttribute("inputs:diffuseColor").Get() or (0, 0, 0)
                picture[number, part * 12 : part * 12 + 12] = [round(255 * value) for value in color]
        for camera in self.cameras:
            self[camera].data.output["rgb"] = torch.tensor(picture)

    def reset(self, env_ids: Any) -> None:
        self.log.append("reset")

    def write_data_to_sim(self) -> None:
        self.log.append("write")

    def update(self, dt: float) -> None:
        self.log.append("update")


class Environment(ManagerBasedRLEnv):  # type: ignore[misc]
    """The real environment, with our configuration; its constructor would start PhysX."""

    def __init__(self, spec: EpisodeSpec) -> None:
        config = environment(settings(spec, environments=COUNT, fps=FPS))
        config.validate()
        scene = Scene(spec, config.scene)

        def step(render: bool) -> None:
            assert not render
            scene.log.append("step")
            scene[names.ROBOT].step(config.sim.dt)
            for side in SIDES:
                scene[side].step()

        self.cfg, self.scene = config, scene
        self.sim = types.SimpleNamespace(
            device="cpu",
            is_playing=lambda: True,
            has_gui=lambda: False,
            has_rtx_sensors=lambda: True,
            step=step,
            render=scene.draw,
            forward=lambda: scene.log.append("forward"),
            set_setting=lambda name, value: scene.set.update({name: value}),
        )
        self.extras, self._sim_step_counter, self.common_step_counter = {}, 0, 0
        self.episode_length_buf = torch.zeros(COUNT, dtype=torch.long)
        self._is_closed = True
        from isaaclab.managers import EventManager

        self.event_manager = EventManager(config.events, self)
        self.load_managers()


def simulator(task: str) -> tuple[IsaacSimulator, Environment]:
    spec = specs(task, 1)[0]
    env = Environment(spec)
    return IsaacSimulator(settings(spec, environments=COUNT, fps=FPS), env), env


def starts(wanted: list[EpisodeSpec]) -> list[Any]:
    return [Planner(TASKS[spec.task].waypoints(spec)).command(0.0) for spec in wanted]


def test_a_reset_realises_every_spec_and_nothing_else() -> None:
    made, env = simulator("push")
    wanted = specs("push", COUNT)
    made.begin(wanted, starts(wanted))
    states = made.states()
    assert made.troubles() == [None] * COUNT
    for state, spec, start in zip(states, wanted, starts(wanted), strict=True):
        assert state.time == 0
        for side in SIDES:
            assert tuple(state.things[side].position) == pytest.approx(spec.thing(side).position, abs=1e-5)
            assert state.things[side].touching_table
            assert not state.things[side].touching_gripper
        assert state.ee_position == pytest.approx(start.position, abs=1e-3)
        assert state.closed == pytest.approx(start.closed, abs=0.01)
    # Settling draws nothing; then pictures are drawn and thrown away.
    assert env.scene.drawn == 1 + 16


def test_nothing_of_a_picture_lasts_to_the_next() -> None:
    _, env = simulator("push")
    assert env.scene.set == {"/rtx/post/motionblur/enabled": False, "/rtx/post/histogram/enabled": False}


def test_fewer_episodes_than_environments() -> None:
    made, _ = simulator("drop")
    wanted = specs("drop", 2)
    made.begin(wanted, starts(wanted))
    assert len(made.states()) == len(made.troubles()) == 2
    assert made.images(wanted[0].cameras[0]).shape == (2, 48, 64, 3)
    passed = made.advance([[start] * STEPS for start in starts(wanted)])
    assert [len(states) for states in passed] == [STEPS] * 2


def test_a_frame_is_as_many_steps_as_the_law_says_and_one_picture() -> None:
    made, env = simulator("push")
    wanted = specs("push", COUNT)
    made.begin(wanted, starts(wanted))
    env.scene.log.clear()
    drawn = env.scene.drawn
    passed = made.advance([[start] * STEPS for start in starts(wanted)])
    assert env.scene.log.count("step") == STEPS
    assert env.scene.drawn == drawn + 1
    assert [state.time for state in passed[0]] == pytest.approx([step / 240 for step in range(1, 9)])
    assert passed[0][-1].time == made.states()[0].time


def test_contacts_are_told_apart() -> None:
    made, env = simulator("drop")
    wanted = specs("drop", COUNT)
    made.begin(wanted, starts(wanted))
    forces = env.scene[names.contact("left")].data.force_matrix_w
    forces[:] = 0.0
    forces[0, 0, 1] = 5.0  # the other object
    forces[1, 0, 3, 1] = -2.0  # one finger
    forces[2, 0, 3, 1], forces[2, 0, 4, 1] = 3.0, -3.0  # both fingers, whose forces cancel
    touching = [state.things["left"].touching_gripper for state in made.states()]
    assert touching == [False, True, True]
    assert not any(state.things["left"].touching_table for state in made.states())
    assert all(state.things["right"].touching_table for state in made.states())


def test_pictures_that_did_not_change_fail_the_episode() -> None:
    made, env = simulator("push")
    camera = specs("push", 1)[0].cameras[1]
    for frozen, words in ((False, None), (True, f"the first picture of {camera.name} shows an earlier moment")):
        wanted = specs("push", 2 * COUNT)[COUNT:] if frozen else specs("push", COUNT)
        env.scene.frozen = frozen
        made.begin(wanted, starts(wanted))
        made.images(camera)
        assert made.troubles() == [words] * COUNT


def test_an_object_that_is_not_where_it_was_put_fails_the_episode() -> None:
    made, env = simulator("push")
    wanted = specs("push", COUNT)
    made.begin(wanted, starts(wanted))
    env.scene["right"].drift = 0.004
    made.advance([[start] * STEPS for start in starts(wanted)])
    assert made.troubles() == ["the right cube started 4 mm from where it should"] * COUNT


def test_what_physx_did_not_take_fails_the_episode() -> None:
    made, env = simulator("push")
    env.scene["left"].root_physx_view.deaf = "masses"
    wanted = specs("push", COUNT)
    made.begin(wanted, starts(wanted))
    assert made.troubles() == ["the simulator did not take the mass of the left cube"] * COUNT


def test_whole_episodes_go_through_the_recorder(tmp_path: Any) -> None:
    made, _ = simulator("drop")
    wanted = [spec.model_copy(update={"cameras": spec.cameras[:2]}) for spec in specs("drop", 2)]
    folders = [tmp_path / str(number) for number in range(2)]
    for folder in folders:
        folder.mkdir()
    records = record_episodes(made, wanted, folders, fps=FPS, resolution=(64, 48), threads=2)
    for record, folder, spec in zip(records, folders, wanted, strict=True):
        assert isinstance(record, EpisodeRecord)
        assert not record.outcome.ok
        assert record.outcome.reason is not None
        assert "was not dropped" in record.outcome.reason
        assert record.versions["gpu"] == "cpu"
        files = {path.name for path in folder.iterdir()}
        assert files == {"trajectory.parquet", *(f"{camera.name}.mp4" for camera in spec.cameras)}
    # The gripper closes around a sphere that is not really there, and opens again.
    from hpvqa.record.trajectory import read_trajectory

    rows = read_trajectory(folders[0] / "trajectory.parquet", SIDES)
    assert rows["gripper"].max() == pytest.approx(1)
    assert rows["gripper"].min() == pytest.approx(0, abs=0.01)
    assert rows["ee_z"].max() == pytest.approx(0.4 + 0.025, abs=0.005)
    assert len(rows["time"]) == 240
    # What it is told leads, and is in the file too.
    assert rows["command_gripper"].max() == 1
    assert rows["command_z"].max() == pytest.approx(0.4 + 0.025, abs=0.005)
