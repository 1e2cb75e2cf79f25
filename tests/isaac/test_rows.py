"""Rows of numbers that worlds of Isaac Lab are read into."""

from __future__ import annotations

import numpy as np

from hpvqa.probes.events import find_event
from hpvqa.sim.events import EventDetector
from hpvqa.sim.isaac.rows import as_moved, states
from tests.worlds import sample

TIMESTEP = 1 / 240
ARM, BODY = 15, 12


def hanging(rise: float, said: float) -> np.ndarray:
    """Rows of one world with two cubes; the first hangs in the gripper, rises and is said to rise so fast [m/s]."""
    rows = np.zeros((121, 1, ARM + 2 * BODY))
    for number, height in enumerate((0.15, 0.025)):
        begin = ARM + number * BODY
        rows[..., begin + 2] = height
        rows[..., begin + 3] = 1.0
    rows[:, 0, ARM + 2] += rise * TIMESTEP * np.arange(len(rows))
    rows[..., ARM + 9] = rows[..., ARM + BODY + 9] = said
    rows[..., ARM + 10] = 1.0
    rows[..., ARM + BODY + 11] = 1.0
    return rows


def test_what_is_in_the_gripper_is_as_fast_as_it_moved() -> None:
    found = as_moved(hanging(0.002, 0.012), TIMESTEP)
    assert found.shape == (120, 1, ARM + 2 * BODY)
    np.testing.assert_allclose(found[:, 0, ARM + 7 : ARM + 10], np.tile([0.0, 0.0, 0.002], (120, 1)), atol=1e-9)
    np.testing.assert_array_equal(found[:, 0, ARM + BODY + 9], 0.012)


def test_a_thing_that_hangs_still_is_held_whatever_the_solver_says() -> None:
    spec = sample("weigh")
    detector = EventDetector(spec, TIMESTEP)
    rows = as_moved(hanging(0.002, 0.012), TIMESTEP)
    # Put down at the end: that a thing was held still is told when it is no longer.
    rows[-1, 0, ARM + 10] = 0.0
    for number, row in enumerate(rows, start=1):
        detector.update(states(row, number * TIMESTEP, spec.names)[0])
    held = find_event(detector.events(), "held", spec.names[0])
    assert held is not None
    assert held.speed_before < 0.003
