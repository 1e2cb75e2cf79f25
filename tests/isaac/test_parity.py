"""One control law and one command for both simulators: NumPy and torch give the same torques on states of MuJoCo."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
import torch
from numpy.typing import NDArray

from hpvqa.sim.impedance import EndEffector, impedance
from hpvqa.sim.isaac.commands import pack, unpack
from hpvqa.sim.isaac.state import ArmState
from hpvqa.sim.isaac.torque import compliant_torques, joint_speeds, moved_jacobian, towards
from hpvqa.sim.mujoco.arm import HOME
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import Command
from hpvqa.tasks import TASKS
from tests.worlds import physics, sample


@dataclass(frozen=True)
class Moment:
    """An arm of MuJoCo at one moment of a push, and the torque that it was given."""

    jacobian: NDArray[np.float64]
    position: NDArray[np.float64]
    quat: NDArray[np.float64]
    angles: NDArray[np.float64]
    speeds: NDArray[np.float64]
    command: Command
    torque: NDArray[np.float64]
    target: NDArray[np.float64]
    improved: NDArray[np.float64]


@pytest.fixture(scope="module")
def moments() -> list[Moment]:
    simulator, spec = physics(), sample("push", 1)
    planner = Planner(TASKS["push"].waypoints(spec))
    simulator.reset(spec, planner.command(0.0))
    arm, data = simulator._world.arm, simulator._world.data  # type: ignore[attr-defined]
    found = []
    ahead = 0.002 * np.array([1.0, -1.0, 1.0, 1.0, -1.0, 1.0, -1.0])
    for step in range(round(planner.duration / simulator.timestep)):
        command = planner.command(step * simulator.timestep)
        if command.gains is not None and step % 60 == 0:
            position, quat = arm.end_effector(data)
            target = data.qpos[arm.qpos] + ahead
            found.append(
                Moment(
                    jacobian=arm._jacobian_of(data).copy(),
                    position=position,
                    quat=quat,
                    angles=data.qpos[arm.qpos].copy(),
                    speeds=data.qvel[arm._dofs].copy(),
                    command=command,
                    torque=arm._compliant(command, command.gains),
                    target=target,
                    improved=arm._improve(target, command)[0],
                )
            )
        simulator.step(command)
    assert len(found) > 50
    return found


def rows(moments: list[Moment], name: str, dtype: torch.dtype) -> torch.Tensor:
    return torch.tensor(np.array([getattr(moment, name) for moment in moments]), dtype=dtype)


@pytest.mark.parametrize(("dtype", "tolerance"), [(torch.float64, 1e-9), (torch.float32, 2e-3)])
def test_torques_are_the_same(moments: list[Moment], dtype: torch.dtype, tolerance: float) -> None:
    packed = torch.tensor(np.array([pack(moment.command) for moment in moments]), dtype=dtype)
    command, gains, compliant = unpack(packed)
    assert compliant.all()
    states = (rows(moments, name, dtype) for name in ("jacobian", "position", "quat", "angles", "speeds"))
    torques = compliant_torques(*states, torch.tensor(HOME, dtype=dtype), command, gains)
    expected = np.array([moment.torque for moment in moments])
    assert np.abs(expected).max() > 5
    assert torques.numpy() == pytest.approx(expected, abs=tolerance)


def test_the_law_itself_is_the_same(moments: list[Moment]) -> None:
    packed = torch.tensor(np.array([pack(moment.command) for moment in moments]))
    command, gains, _ = unpack(packed)
    position, quat = (rows(moments, name, torch.float64) for name in ("position", "quat"))
    motion = np.array([moment.jacobian @ moment.speeds for moment in moments])
    state = EndEffector(position, quat, torch.tensor(motion[:, :3]), torch.tensor(motion[:, 3:]))
    force, torque = impedance(state, command, gains)
    for row, moment in enumerate(moments):
        assert moment.command.gains is not None
        single = EndEffector(moment.position, moment.quat, motion[row, :3], motion[row, 3:])
        expected = impedance(single, moment.command, moment.command.gains)
        assert force[row].numpy() == pytest.approx(expected[0])
        assert torque[row].numpy() == pytest.approx(expected[1], abs=1e-9)


def test_joint_targets_move_on_as_in_the_embedded_simulator(moments: list[Moment]) -> None:
    names = ("angles", "speeds", "position", "quat", "jacobian")
    state = ArmState(*(rows(moments, name, torch.float64) for name in names))
    command, _, _ = unpack(torch.tensor(np.array([pack(moment.command) for moment in moments])))
    target = rows(moments, "target", torch.float64)
    step = towards(state, target, command, torch.tensor(HOME, dtype=torch.float64))
    wanted = rows(moments, "improved", torch.float64) - target
    # Exact but for the Jacobian, which is that of where the joints are, 0.002 rad from where the targets are.
    assert ((step - wanted).abs().amax(dim=1) < 0.05 * wanted.abs().amax(dim=1)).all()


def test_joint_speeds_move_the_pinch_point_as_asked(moments: list[Moment]) -> None:
    jacobian = rows(moments, "jacobian", torch.float64)
    wanted = torch.tensor([[0.2, -0.1, 0.05]], dtype=torch.float64).repeat(len(moments), 1)
    moved = (jacobian @ joint_speeds(jacobian, wanted)[:, :, None])[:, :, 0]
    assert (moved[:, :3] - wanted).abs().max() < 5e-3
    assert moved[:, 3:].abs().max() < 5e-3


def test_a_jacobian_moves_with_its_point(moments: list[Moment]) -> None:
    jacobian = rows(moments, "jacobian", torch.float64)
    arm = torch.tensor([[0.02, -0.3, 0.1]], dtype=torch.float64).repeat(len(moments), 1)
    assert torch.allclose(moved_jacobian(moved_jacobian(jacobian, arm), -arm), jacobian)
    speeds = rows(moments, "speeds", torch.float64)[:, :, None]
    twist, moved = (jacobian @ speeds)[:, :, 0], (moved_jacobian(jacobian, arm) @ speeds)[:, :, 0]
    assert torch.allclose(moved[:, :3], twist[:, :3] + torch.linalg.cross(twist[:, 3:], arm))
