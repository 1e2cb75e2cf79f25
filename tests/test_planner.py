import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.probes.waypoint import Waypoint
from hpvqa.sim.planner import Planner, minimum_jerk
from hpvqa.tasks import TASKS
from tests.worlds import sample


@given(st.floats(0.1, 3))
def test_a_movement_starts_and_ends_at_rest(duration: float) -> None:
    assert minimum_jerk(0.0, duration) == (0.0, 0.0)
    assert minimum_jerk(duration, duration) == (1.0, 0.0)
    share, rate = minimum_jerk(duration / 2, duration)
    # The peak speed of a minimum-jerk movement is 15/8 of the mean.
    assert (share, rate) == pytest.approx((0.5, 1.875 / duration))


@pytest.mark.parametrize("task", TASKS)
def test_velocity_is_the_derivative_of_position(task: str) -> None:
    planner = Planner(TASKS[task].waypoints(sample(task)))
    h = 1e-6
    for time in np.linspace(0.01, planner.duration - 0.01, 37):
        slope = (planner.command(time + h).position - planner.command(time - h).position) / (2 * h)
        assert planner.command(time).velocity == pytest.approx(slope, abs=1e-3)


@pytest.mark.parametrize("task", TASKS)
def test_the_path_has_no_jumps(task: str) -> None:
    planner = Planner(TASKS[task].waypoints(sample(task)))
    path = np.array([planner.command(k / 1200).position for k in range(round(planner.duration * 1200) + 10)])
    assert np.linalg.norm(np.diff(path, axis=0), axis=1).max() < 2.0 / 1200


def test_lengths_are_those_of_the_tasks() -> None:
    assert TASKS["push"].duration(sample("push")) == pytest.approx(6.0)
    assert TASKS["drop"].duration(sample("drop")) == pytest.approx(8.0)


def test_a_drop_ends_two_and_a_half_seconds_after_the_second_release() -> None:
    planner = Planner(TASKS["drop"].waypoints(sample("drop")))
    times = np.arange(0, planner.duration, 1e-3)
    opening = [time for time in times if planner.waypoint(time).phase == "release"]
    second = next(time for time in opening if time > opening[0] + 1)
    assert planner.duration - second == pytest.approx(2.5, abs=2e-3)


def test_a_plan_needs_a_start() -> None:
    with pytest.raises(ValueError, match="duration 0"):
        Planner([Waypoint("home", (0, 0, 0), 1.0, 0.0)])
