"""Collisions located between the steps of a simulator that does not tell when they were."""

from __future__ import annotations

import numpy as np
import pytest

from hpvqa.probes.events import Pose
from hpvqa.sim.events import EventDetector
from hpvqa.sim.isaac.impacts import ImpactFinder
from hpvqa.sim.protocol import BodyState, State
from hpvqa.tasks import TASKS
from tests.worlds import sample, with_hidden

G = 9.81
RATE = 240


def state(time: float, heights: dict[str, tuple[float, float]], touching: bool = False) -> State:
    def body(z: float, v: float) -> BodyState:
        return BodyState(np.array([0.4, 0.2, z]), np.array([1.0, 0, 0, 0]), np.array([0, 0, v]), touching, False)

    objects = {side: body(*heights[side]) for side in ("left", "right")}
    return State(time, np.zeros(7), 0.0, np.zeros(3), np.array([1.0, 0, 0, 0]), objects)  # type: ignore[arg-type]


def flight(time: float, drop: float, e: float, size: float) -> tuple[float, float]:
    """Height and velocity of a bouncing ball, exactly."""
    left, speed = time, np.sqrt(2 * G * drop)
    fall = speed / G
    if left < fall:
        return size + drop - G * left**2 / 2, -G * left
    left -= fall
    speed *= e
    while speed > 0.05:
        if left < 2 * speed / G:
            return size + speed * left - G * left**2 / 2, speed - G * left
        left -= 2 * speed / G
        speed *= e
    return size, 0.0


@pytest.mark.parametrize("e", [0.2, 0.5, 0.8, 0.95, 1.0])
def test_moment_and_speeds_of_a_bounce_are_found(e: float) -> None:
    spec = sample("drop")
    finder, found = ImpactFinder(spec.things), []
    for step in range(RATE * 2):
        heights = {"left": flight(step / RATE, 0.3, e, 0.025), "right": (0.025, 0.0)}
        found += finder.update(state(step / RATE, heights)).impacts
    first = found[0]
    speed = np.sqrt(2 * G * 0.3)
    assert first.thing == "left"
    assert first.time == pytest.approx(speed / G, abs=1e-6)
    assert first.speed_before == pytest.approx(speed, rel=1e-6)
    assert first.speed_after == pytest.approx(e * speed, rel=1e-6)
    assert first.position[2] == 0.025
    assert 0 < first.time_resolution <= 1.01 / RATE
    bounces = [impact for impact in found if impact.speed_before > 0.2]
    assert [b.speed_after / b.speed_before for b in bounces] == pytest.approx([e] * len(bounces), rel=1e-4)


def test_a_sphere_that_stays_down_hit_the_table_once() -> None:
    spec = sample("drop")
    finder = ImpactFinder(spec.things)
    found = []
    for step in range(RATE):
        heights = {"left": flight(step / RATE, 0.3, 0.0, 0.025), "right": (0.025, 0.0)}
        found += finder.update(state(step / RATE, heights)).impacts
    assert [impact.speed_after for impact in found] == [0.0]


def test_contact_that_takes_two_steps_is_one_impact_at_full_speed() -> None:
    spec = sample("drop")
    finder = ImpactFinder(spec.things)
    found = []
    for time, z, v in [(0.0, 0.05, -2.0), (1 / RATE, 0.03, -2.04), (2 / RATE, 0.0255, -0.6), (3 / RATE, 0.03, 1.6)]:
        found += finder.update(state(time, {"left": (z, v), "right": (0.025, 0.0)})).impacts
    assert len(found) == 1
    assert found[0].speed_before == pytest.approx(2.06, abs=0.02)


def test_neither_cubes_nor_what_the_gripper_holds_has_impacts() -> None:
    cubes, spheres = sample("push"), sample("drop")
    for spec, touching in ((cubes, False), (spheres, True)):
        finder = ImpactFinder(spec.things)
        for step in range(RATE):
            heights = {side: flight(step / RATE, 0.3, 0.8, 0.025) for side in ("left", "right")}
            assert finder.update(state(step / RATE, heights, touching)).impacts == ()


@pytest.mark.parametrize(("low", "high"), [(0.0, 0.3), (0.5, 0.7), (0.8, 1.0)])
def test_events_and_the_shared_outcome_check_follow(low: float, high: float) -> None:
    spec = with_hidden(sample("drop"), low, high)
    finder, detector = ImpactFinder(spec.things), EventDetector(spec, 1 / RATE)
    for step in range(-50, RATE * 2):
        time = max(step, 0) / RATE
        heights = {"left": flight(time, 0.3, low, 0.025), "right": flight(time, 0.3, high, 0.025)}
        detector.update(finder.update(state((step + 50) / RATE, heights, touching=step <= 0)))
    final = {"left": Pose((0.4, 0.2, 0.025)), "right": Pose((0.4, -0.2, 0.025))}
    outcome = TASKS["drop"].check(spec, detector.events(), final)  # type: ignore[arg-type]
    assert outcome.ok, outcome.reason
    assert outcome.measurement is not None
    assert outcome.measurement.of("left") == pytest.approx(low**2, abs=0.002)
    assert outcome.measurement.of("right") == pytest.approx(high**2, rel=0.002)
