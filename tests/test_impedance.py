import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.probes.push import GAINS
from hpvqa.scene.camera import quaternion, rotation
from hpvqa.sim.impedance import EndEffector, impedance, rotation_error
from hpvqa.sim.planner import POINTING_DOWN
from hpvqa.sim.protocol import Command

ZERO = np.zeros(3)


def at(position: np.ndarray, quat: np.ndarray = POINTING_DOWN, velocity: np.ndarray = ZERO) -> EndEffector:
    return EndEffector(position, quat, velocity, np.zeros_like(position))


def to(position: np.ndarray) -> Command:
    return Command(position, ZERO, POINTING_DOWN, 1.0, GAINS)


def test_the_spring_is_soft_along_the_push_and_stiff_across() -> None:
    force, torque = impedance(at(ZERO), to(np.array([0.1, 0.1, 0.1])), GAINS)
    assert force == pytest.approx([15.0, 150.0, 150.0])
    assert torque == pytest.approx([0, 0, 0])


def test_the_damper_opposes_motion() -> None:
    force, _ = impedance(at(ZERO, velocity=np.array([1.0, 0, 0])), to(ZERO), GAINS)
    assert force[0] == pytest.approx(-2 * np.sqrt(150 * 3.5))


@given(axis=st.sampled_from(range(3)), angle=st.floats(-0.3, 0.3), sign=st.sampled_from([1, -1]))
def test_small_rotations_are_rotation_vectors(axis: int, angle: float, sign: int) -> None:
    half = np.zeros(3)
    half[axis] = np.sin(angle / 2)
    turn = rotation((np.cos(angle / 2), *half))
    target = sign * np.array(quaternion(turn @ rotation(tuple(POINTING_DOWN))))
    expected = np.zeros(3)
    expected[axis] = angle
    assert rotation_error(target, POINTING_DOWN) == pytest.approx(expected, abs=2e-3)


def test_a_batch_gives_what_single_calls_give() -> None:
    positions = np.random.default_rng(0).normal(size=(5, 3))
    batch = EndEffector(positions, np.tile(POINTING_DOWN, (5, 1)), 2 * positions, 3 * positions)
    forces, torques = impedance(batch, to(ZERO), GAINS)
    for row in range(5):
        single = EndEffector(positions[row], POINTING_DOWN, 2 * positions[row], 3 * positions[row])
        force, torque = impedance(single, to(ZERO), GAINS)
        assert forces[row] == pytest.approx(force)
        assert torques[row] == pytest.approx(torque)
