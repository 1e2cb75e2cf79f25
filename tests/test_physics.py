"""Physics that must hold, on episodes of each task made through the command line without video.

A dozen of each by default, of which none may fail; HPVQA_TEST_EPISODES=100 takes a hundred (a multiple of 4).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from hpvqa.record.episode import EpisodeRecord, find_episodes, read_episode
from hpvqa.record.trajectory import read_trajectory
from hpvqa.scene.spec import SIDES
from hpvqa.tasks import TASKS
from hpvqa.tasks.drop import LIFT
from tests.worlds import run, sample, with_hidden

EPISODES = int(os.environ.get("HPVQA_TEST_EPISODES", "12"))
Collected = tuple[dict[str, list[EpisodeRecord]], dict[str, object], Path]


@pytest.fixture(scope="module")
def collected(tmp_path_factory: pytest.TempPathFactory) -> Collected:
    out = tmp_path_factory.mktemp("physics") / "data"
    options = f"--episodes {EPISODES} --no-video --seed 2024 --workers 2 --json --out {out}"
    command = [sys.executable, "-m", "hpvqa", "collect", *TASKS, *options.split()]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    records = {task: [read_episode(folder) for folder in find_episodes(out, task)] for task in TASKS}
    return records, json.loads(done.stdout), out


def rebound_error(ratio: float, restitution: float) -> float:
    """Error of a rebound ratio as a share of what is allowed: 2 % of e², or 0.005 below e = 0.2."""
    allowed = 0.005 if restitution < 0.2 else 0.02 * restitution**2
    return abs(ratio - restitution**2) / allowed


def test_rebound_is_the_square_of_the_restitution(collected: Collected) -> None:
    worst = 0.0
    for record in collected[0]["drop"]:
        assert record.outcome.measurement is not None, record.outcome.reason
        for side in SIDES:
            worst = max(worst, rebound_error(record.outcome.measurement.of(side), record.spec.object(side).restitution))
    assert worst < 1


@pytest.mark.parametrize(("left", "right"), [(0.0, 1.0), (0.1, 0.95), (0.2, 0.5), (0.8, 0.02)])
def test_rebound_over_the_whole_range(left: float, right: float) -> None:
    done = run(with_hidden(sample("drop", 3), left, right))
    assert done.outcome.measurement is not None, done.outcome.reason
    assert rebound_error(done.outcome.measurement.left, left) < 1
    assert rebound_error(done.outcome.measurement.right, right) < 1


def test_both_spheres_fall_from_the_same_height(collected: Collected) -> None:
    for record in collected[0]["drop"]:
        heights = [
            event.position[2] - record.spec.object(event.object).size
            for event in record.events
            if event.kind == "release"
        ]
        assert len(heights) == 2
        assert heights == pytest.approx([LIFT, LIFT], abs=0.004)
        assert abs(heights[0] - heights[1]) < 0.001


def test_the_lighter_cube_ends_clearly_further(collected: Collected) -> None:
    for record in collected[0]["push"]:
        measurement = record.outcome.measurement
        assert measurement is not None, record.outcome.reason
        light, heavy = sorted(SIDES, key=lambda side: record.spec.object(side).mass)
        assert measurement.of(light) >= measurement.of(heavy) + 0.04
        assert measurement.of(light) >= measurement.of(heavy) * 1.3


def test_displacement_falls_with_mass_on_either_side_and_in_either_order() -> None:
    masses = np.linspace(0.5, 5.0, 6)
    moved = {side: [] for side in SIDES}
    for left, right in zip(masses, masses[::-1], strict=True):
        measurement = run(with_hidden(sample("push", 1), left, right)).outcome.measurement
        assert measurement is not None
        for side in SIDES:
            moved[side].append(measurement.of(side))
    assert (np.diff(moved["left"]) < 0).all()
    assert (np.diff(moved["right"]) > 0).all()
    # Same command, same gains: a mass moves about equally far, whichever side it is on and whenever its turn is. What
    # differs is the posture of the arm; it must stay far below the 5 cm between a light and a heavy cube.
    assert moved["left"] == pytest.approx(moved["right"][::-1], abs=0.008)


@pytest.mark.parametrize("task", TASKS)
def test_the_measured_outcome_agrees_with_the_label(collected: Collected, task: str) -> None:
    kind = TASKS[task]
    agreeing = [
        record
        for record in collected[0][task]
        if record.outcome.measurement is not None
        and kind.answer_from(record.outcome.measurement) == kind.answer(record.spec)
    ]
    assert len(agreeing) >= 0.98 * EPISODES


@pytest.mark.parametrize("task", TASKS)
def test_left_is_plus_y_all_the_way(collected: Collected, task: str) -> None:
    for folder in list(find_episodes(collected[2], task))[:20]:
        rows = read_trajectory(folder / "trajectory.parquet")
        assert rows["left_y"].min() > 0.1
        assert rows["right_y"].max() < -0.1


@pytest.mark.parametrize("task", TASKS)
def test_attempts_hardly_ever_fail_whatever_the_hidden_value(collected: Collected, task: str) -> None:
    records = collected[0][task]
    assert len(records) == EPISODES
    failed = sum(len(record.failed_attempts) + (not record.outcome.ok) for record in records)
    attempts = failed + sum(record.outcome.ok for record in records)
    assert failed / attempts < 0.02
    low, high = TASKS[task].hidden_range
    tried, missed = np.zeros(10), np.zeros(10)
    for record in records:
        bad = len(record.failed_attempts) + (not record.outcome.ok)
        for side in SIDES:
            share = (TASKS[task].hidden_value(record.spec, side) - low) / (high - low)
            decile = min(int(10 * share), 9)
            tried[decile] += bad + record.outcome.ok
            missed[decile] += bad
    print(task, "failed attempts by decile:", *(f"{int(m)}/{int(t)}" for m, t in zip(missed, tried, strict=True)))
    assert (missed <= 0.1 * tried).all()


def test_the_order_and_side_are_balanced(collected: Collected) -> None:
    for task, records in collected[0].items():
        cells = {}
        for record in records:
            key = (TASKS[task].answer(record.spec), record.spec.first)
            cells[key] = cells.get(key, 0) + 1
        assert set(cells.values()) == {EPISODES // 4}, cells
