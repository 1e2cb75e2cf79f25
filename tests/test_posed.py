"""Where a recorded episode's bodies are, from its trajectory alone: as they were in the simulator."""

from __future__ import annotations

import json
import os
from functools import cache
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from numpy.typing import NDArray

from hpvqa.main import cli
from hpvqa.record.episode import episode_dir, publish
from hpvqa.record.recorder import record_episodes
from hpvqa.record.trajectory import column_names, row
from hpvqa.resources import default_cache
from hpvqa.sim.mujoco.assets import MODEL, robot_dir
from hpvqa.sim.mujoco.posed import Body, bodies
from hpvqa.sim.mujoco.simulator import MujocoSimulator
from hpvqa.sim.planner import Planner
from hpvqa.tasks import get_task
from tests.needs import long_but
from tests.worlds import physics, sample

pytestmark = pytest.mark.simulation
RATE = 15
ARM = tuple(f"robot/link{number}" for number in range(8))

Truth = dict[str, NDArray[np.float64]]


@cache
def simulated(task: str) -> tuple[list[Body], Truth]:
    """The bodies of an episode, and where they were in the simulator, each of shape (rows, 7)."""
    spec, simulator = sample(task), physics()
    assert isinstance(simulator, MujocoSimulator)
    planner = Planner(get_task(task).waypoints(spec))
    simulator.reset(spec, planner.command(0.0))
    data, model = simulator._world.data, simulator._world.model
    names = [model.body(number).name for number in range(model.nbody)]
    rows, moments = [], []
    for step in range(round(planner.duration / simulator.timestep)):
        command = planner.command(step * simulator.timestep)
        if step % round(1 / RATE / simulator.timestep) == 0:
            rows.append(row(simulator.state(), command))
            moments.append(np.hstack([data.xpos, data.xquat]))
        simulator.step(command)
    columns = dict(zip(column_names(spec.names), np.array(rows).T, strict=True))
    cache = default_cache(os.environ)
    found = list(bodies(robot_dir(cache) / MODEL, cache, spec.things, columns))
    return found, dict(zip(names, np.array(moments).swapaxes(0, 1), strict=True))


def off(body: Body, truth: Truth) -> tuple[float, float]:
    """How far a body is from its place at most [m], and how much it is turned [rad]."""
    there = truth[body.name]
    cosine = np.abs((body.poses[:, 3:] * there[:, 3:]).sum(axis=1)).clip(0, 1)
    return float(np.linalg.norm(body.poses[:, :3] - there[:, :3], axis=1).max()), float(2 * np.arccos(cosine).max())


@pytest.mark.parametrize("task", long_but(["push", "drop", "press"], "press"))
def test_bodies_are_where_they_were_in_the_simulator(task: str) -> None:
    found, truth = simulated(task)
    assert {body.name for body in found} >= {*ARM, "robot/left_pad", "robot/right_pad", "things/left", "things/right"}
    for body in found:
        metres, radians = off(body, truth)
        if body.name in ARM or body.name.startswith("things/"):
            assert (metres, radians) == (pytest.approx(0, abs=1e-9), pytest.approx(0, abs=1e-6)), body.name
        else:
            # Of the gripper a trajectory holds how far it is closed, not how what it holds bends its links.
            assert metres < 2.5e-3, body.name
            assert radians < np.radians(3), body.name


def test_the_plate_of_a_spring_goes_down_and_its_base_stays() -> None:
    found = {body.name: body for body in simulated("press")[0]}
    assert np.ptp(found["things/left"].poses, axis=0).max() == 0
    assert np.ptp(found["things/left/plate"].poses[:, 2]) > 1e-3


def test_show_prints_them_and_draws_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "partial").mkdir()
    (made,) = record_episodes(physics(), [sample("push")], [tmp_path / "partial"], fps=RATE, resolution=None)
    final = episode_dir(tmp_path / "data", "push", 0)
    publish(tmp_path / "partial", made, final)
    empty = tmp_path / "empty"
    empty.mkdir()
    monkeypatch.chdir(empty)
    done = CliRunner().invoke(cli, ["show", str(final), "--poses"], catch_exceptions=False)
    assert list(empty.iterdir()) == []
    data = json.loads(done.stdout)
    assert data["record"]["spec"]["index"] == 0
    assert data["times"][1] == pytest.approx(1 / RATE)
    for body in data["bodies"]:
        assert np.shape(body["poses"]) == (len(data["times"]), 7)
        for part in body["parts"]:
            assert np.shape(part["points"]) == np.shape(part["normals"])
            assert np.max(part["faces"]) == len(part["points"]) - 1
    left = next(body for body in data["bodies"] if body["name"] == "things/left")
    np.testing.assert_allclose(left["poses"][0][:3], made.spec.thing("left").position, atol=1e-6)
