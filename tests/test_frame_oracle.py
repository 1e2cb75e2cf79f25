"""What an observer of single moments can tell: nothing before the property shows, almost everything later."""

from __future__ import annotations

import math
from functools import cache

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.errors import UsageError
from hpvqa.evaluate.conditions import CONDITIONS
from hpvqa.evaluate.trials import check_conditions
from hpvqa.probes.drop import bounces
from hpvqa.probes.events import Pose
from hpvqa.scene.spec import SIDES, EpisodeSpec
from hpvqa.tasks import TASKS
from hpvqa.vlm.baselines import FrameOracle
from tests.needs import long_but
from tests.worlds import Run, run, sample, with_hidden

CLOSEST = {"push": ((1.0, 3.0), (3.0, 1.0)), "drop": ((0.3, 0.55), (0.95, 0.7))}
pairs = pytest.mark.parametrize(
    "which",
    long_but([(task, pair) for task in CLOSEST for pair in CLOSEST[task]]),
)


@cache
def recorded(task: str, pair: tuple[float, float]) -> tuple[EpisodeSpec, Run]:
    spec = with_hidden(sample(task, 0), *pair)
    return spec, run(spec)


def odds(spec: EpisodeSpec, found: Run, times: list[float]) -> float:
    rows = [round(time * 60) for time in times]
    parts = ("x", "y", "z", "qw", "qx", "qy", "qz")
    numbers = {name: [[found.rows[f"{name}_{part}"][row] for part in parts] for row in rows] for name in spec.names}
    places = {name: [Pose(tuple(each[:3]), tuple(each[3:])) for each in every] for name, every in numbers.items()}
    return TASKS[spec.task].log_odds(spec, found.events, [row / 60 for row in rows], places)


@pairs
def test_two_frames_a_second_tell_a_perfect_observer_the_answer(which: tuple[str, tuple[float, float]]) -> None:
    task, pair = which
    spec, found = recorded(task, pair)
    sure = odds(spec, found, list(np.arange(0.0, TASKS[task].duration(spec), 0.5)))
    assert abs(sure) > 3
    assert ("left" if sure > 0 else "right") == TASKS[task].answer(spec)


@pairs
def test_nothing_is_known_before_the_property_shows(which: tuple[str, tuple[float, float]]) -> None:
    task, pair = which
    spec, found = recorded(task, pair)
    assert odds(spec, found, [0.0, 0.5, 1.0]) == pytest.approx(0.0, abs=1e-9)


def test_one_sphere_alone_tells_less_than_both() -> None:
    spec, found = recorded("drop", (0.3, 0.55))
    first = spec.order[0]
    value = spec.thing(first).restitution
    alone = odds(spec, found, list(np.arange(0.0, 5.5, 0.125)))
    both = odds(spec, found, list(np.arange(0.0, 8.0, 0.125)))
    # The chance that the other one, at least 0.2 away and otherwise uniform, is the less elastic one.
    below, above = max(value - 0.2, 0.0), max(0.8 - value, 0.0)
    expected = math.log(below / above)
    assert alone == pytest.approx(expected if first == "left" else -expected, abs=0.15)
    assert abs(both) > 10 * abs(alone)


def test_one_cube_alone_speaks_for_itself() -> None:
    spec, found = recorded("push", (1.0, 3.0))
    assert spec.order[0] == "left"
    assert odds(spec, found, [0.0, 3.0]) < -1


def test_rebounds_are_those_of_the_simulator() -> None:
    for pair in CLOSEST["drop"]:
        spec, found = recorded("drop", pair)
        for side in SIDES:
            impact = next(event for event in found.events if event.kind == "impact" and event.object == side)
            after = found.rows["time"] - impact.t
            seen = found.rows[f"{side}_z"][after > 0] - spec.thing(side).half_height
            value = np.array([spec.thing(side).restitution])
            assert bounces(value, impact.speed_before, after[after > 0])[0] == pytest.approx(seen, abs=3e-4)


@given(st.floats(0.0, 1.0), st.floats(0.1, 5.0), st.floats(0.0, 10.0))
def test_no_rebound_is_higher_than_the_law_of_impact_allows(value: float, speed: float, after: float) -> None:
    (height,) = bounces(np.array([value]), speed, np.array([after]))[0]
    assert 0 <= height <= (value * speed) ** 2 / (2 * 9.81) + 1e-12


def test_it_looks_at_no_picture() -> None:
    with pytest.raises(UsageError, match="frame-oracle looks at no frames"):
        check_conditions(FrameOracle(), [CONDITIONS["mirror"]])
    check_conditions(FrameOracle(), [CONDITIONS["swap"]])
