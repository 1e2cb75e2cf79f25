"""Our action term with the real DifferentialIKController: it reaches the waypoints, and switches drives off and on."""

from __future__ import annotations

import types
from typing import Any

import numpy as np
import pytest
import torch
from isaaclab.assets import Articulation
from isaaclab.managers import ActionManager

from hpvqa.errors import RunError
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.action import Follow, FollowCfg
from hpvqa.sim.isaac.arm import ArmView
from hpvqa.sim.isaac.commands import WIDTH, pack, pack_frames, unpack
from hpvqa.sim.isaac.environment import ActionsCfg
from hpvqa.sim.isaac.gripper import HAND_YAW, PINCH_DISTANCE, pinch_offset, pinch_yaw
from hpvqa.sim.isaac.panda import HOME, TORQUE_LIMIT
from hpvqa.sim.isaac.timing import substeps, timestep
from hpvqa.sim.planner import Planner
from hpvqa.tasks import TASKS
from tests.isaac.contract.standins import Panda, keeps_signatures
from tests.isaac.contract.worlds import specs

FPS = 30
METHODS = ("find_joints", "find_bodies", "set_joint_position_target", "set_joint_velocity_target")
METHODS += ("set_joint_effort_target", "write_joint_stiffness_to_sim", "write_joint_damping_to_sim")
keeps_signatures(Panda, Articulation, *METHODS)


def world(count: int = 2, **panda: Any) -> tuple[ActionManager, Follow, Panda]:
    origins = torch.tensor([[7.0 * number, -3.0, 0.0] for number in range(count)])
    arm = Panda(count, origins, HOME, **panda)
    scene = {names.ROBOT: arm}
    env = types.SimpleNamespace(num_envs=count, device="cpu", scene=scene, sim=types.SimpleNamespace())
    env.sim.is_playing = lambda: True
    manager = ActionManager(ActionsCfg(arm=FollowCfg(substeps=substeps(FPS))), env)
    return manager, manager.get_term("arm"), arm


@pytest.mark.parametrize("task", ["push", "drop"])
def test_the_arm_reaches_every_waypoint(task: str) -> None:
    manager, _, arm = world(1)
    plans = [Planner(TASKS[task].waypoints(spec)) for spec in specs(task, 1)]
    view, dt, steps = ArmView(arm), timestep(FPS), substeps(FPS)
    for _ in range(100):
        term = manager.get_term("arm")
        term.follow(torch.tensor(np.array([pack(plan.command(0.0)) for plan in plans]), dtype=torch.float32))
        arm.step(dt)
    ends = np.cumsum([waypoint.duration for waypoint in plans[0]._waypoints])
    worst = 0.0
    for frame in range(round(plans[0].duration * FPS)):
        times = [(frame * steps + step) * dt for step in range(steps)]
        manager.process_action(pack_frames([[plan.command(time) for time in times] for plan in plans]))
        for _ in range(steps):
            manager.apply_action()
            arm.step(dt)
        now = times[-1] + dt
        if np.abs(ends - now).min() < dt / 2:
            state = view.read()
            wanted = torch.tensor(np.array([plan.command(now).position for plan in plans]), dtype=torch.float32)
            worst = max(worst, float((state.position - wanted).norm(dim=1).max()))
            assert (state.quat_wxyz.abs() - torch.tensor([0.0, 1, 0, 0])).abs().max() < 0.02
    assert worst < 0.002


def test_positions_are_relative_to_the_environment_and_the_jacobian_is_the_pinch_point_s() -> None:
    _, _, arm = world()
    view = ArmView(arm)
    state = view.read()
    assert state.position[0] == pytest.approx(state.position[1].tolist(), abs=1e-5)
    step = 1e-3
    for joint in range(7):
        arm.angles[:, joint] += step
        moved = view.read()
        arm.angles[:, joint] -= step
        slope = (moved.position - state.position) / step
        assert (slope - state.jacobian[:, :3, joint]).abs().max() < 2e-3, joint


def test_compliant_phases_are_led_by_torques_alone() -> None:
    manager, term, arm = world()
    plan = Planner(TASKS["push"].waypoints(specs("push", 1)[0]))
    push = next(time for time in np.arange(0, 6, 0.01) if plan.waypoint(time).phase == "push") + 0.6

    def follow(time: float) -> None:
        term.follow(torch.tensor(np.array([pack(plan.command(time))] * 2), dtype=torch.float32))

    follow(0.1)
    assert (arm.stiffness[:, :4] == 1100).all()
    assert not arm.efforts.any()
    follow(push)
    assert not arm.stiffness[:, :7].any()
    assert not arm.damping[:, :7].any()
    assert arm.efforts[:, :7].abs().max() > 1
    assert (arm.efforts[:, :7].abs() <= torch.tensor(TORQUE_LIMIT) + 1e-4).all()
    assert (arm.stiffness[:, 7] == 1100).all()
    follow(5.9)
    assert (arm.stiffness[:, 4:7] == 1000).all()
    assert not arm.efforts.any()
    manager.reset()
    assert not term.raw_actions.any()


def test_commands_survive_the_way_through_an_action() -> None:
    plan = Planner(TASKS["push"].waypoints(specs("push", 1)[0]))
    commands = [plan.command(time) for time in (0.2, 1.0)]
    rows = pack_frames([commands])
    assert rows.shape == (1, 2 * WIDTH)
    command, gains, compliant = unpack(rows.view(2, WIDTH))
    assert compliant.tolist() == [False, True]
    assert command.position[1].tolist() == pytest.approx(commands[1].position.tolist())
    assert command.velocity[1].tolist() == pytest.approx(commands[1].velocity.tolist())
    assert gains.stiffness[1].tolist() == [150, 1500, 1500]
    assert command.closed.tolist() == [1, 1]


@pytest.mark.parametrize("yaw", [HAND_YAW, HAND_YAW + 0.3, 0.0, HAND_YAW - 1.2])
def test_however_the_gripper_is_turned_the_fingers_open_along_the_pinch_frame_s_y(yaw: float) -> None:
    _, _, arm = world(yaw=yaw)
    view = ArmView(arm)
    position, quat = view.pinch()
    from isaaclab.utils.math import matrix_from_quat

    data = arm.data
    fingers = data.body_com_pos_w[:, 8] - data.body_com_pos_w[:, 9]
    axis = matrix_from_quat(quat)[:, :, 1]
    assert (fingers * axis).sum(dim=1).abs() / fingers.norm(dim=1) == pytest.approx([1, 1], abs=1e-4)
    wrist = data.body_pos_w[:, 7]
    assert (position - wrist).norm(dim=1).tolist() == pytest.approx([PINCH_DISTANCE] * 2, abs=1e-4)


def test_both_ways_round_a_gripper_is_the_same() -> None:
    left, right = torch.tensor([[0.03, 0.02, 0.2]]), torch.tensor([[-0.03, -0.02, 0.2]])
    assert pinch_yaw(left, right).item() == pytest.approx(pinch_yaw(right, left).item())
    assert abs(pinch_yaw(left, right).item() - HAND_YAW) <= np.pi / 2 + 1e-6
    assert pinch_offset(torch.tensor([0.0]))[1].tolist() == [[1, 0, 0, 0]]


@pytest.mark.parametrize(
    ("left", "right"),
    [((0.05, 0, 0.2), (0.01, 0, 0.2)), ((0, 0, 0.2), (0, 0, 0.2)), ((0, 0.04, -0.1), (0, -0.04, -0.1))],
)
def test_a_strange_mount_is_refused(left: tuple[float, ...], right: tuple[float, ...]) -> None:
    with pytest.raises(RunError, match="mounted otherwise than expected"):
        pinch_yaw(torch.tensor([left]), torch.tensor([right]))


def test_a_robot_that_does_not_stand_fast_is_refused() -> None:
    assert isinstance(Articulation.is_fixed_base, property)
    _, _, arm = world(1)
    arm.is_fixed_base = False
    with pytest.raises(RunError, match="base is not fixed"):
        ArmView(arm)


def test_the_real_articulation_takes_our_rows_and_indices() -> None:
    """The methods themselves, on buffers of four environments with nine joints."""
    names = ("joint_stiffness", "joint_damping", "joint_pos_target", "joint_vel_target", "joint_effort_target")
    data = types.SimpleNamespace(**{name: torch.full((4, 9), -1.0) for name in names})
    written: dict[str, Any] = {}

    def write(kind: str) -> Any:
        return lambda values, indices: written.update({kind: (values.clone(), indices.clone())})

    view = types.SimpleNamespace(set_dof_stiffnesses=write("stiffness"), set_dof_dampings=write("damping"))
    bare = types.SimpleNamespace(_data=data, root_physx_view=view, _ALL_INDICES=torch.arange(4))
    environments, joints = torch.arange(4), torch.tensor([0, 1, 3])
    values = torch.arange(12, dtype=torch.float32).reshape(4, 3)
    Articulation.write_joint_stiffness_to_sim(bare, values, joint_ids=joints, env_ids=environments)
    Articulation.write_joint_damping_to_sim(bare, 2 * values, joint_ids=joints, env_ids=environments)
    assert (written["stiffness"][0][:, [0, 1, 3]] == values).all()
    assert (written["damping"][0][:, [0, 1, 3]] == 2 * values).all()
    assert (written["stiffness"][0][:, 2] == -1).all()
    for kind in ("position", "velocity", "effort"):
        getattr(Articulation, f"set_joint_{kind}_target")(bare, values, joint_ids=[0, 1, 3])
    assert all((getattr(data, name)[:, [0, 1, 3]] == values).all() for name in names[2:])
