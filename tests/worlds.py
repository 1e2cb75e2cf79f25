"""Specs, simulators and physics-only runs that several tests share."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from hpvqa.probes.events import Event, Pose
from hpvqa.record.trajectory import column_names, row
from hpvqa.record.writing import final_poses
from hpvqa.scene.camera import focal_pixels, rotation
from hpvqa.scene.randomization import Randomization
from hpvqa.scene.rigs import load_rig
from hpvqa.scene.sampling import sample_episode
from hpvqa.scene.spec import CameraSpec, EpisodeSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.events import EventDetector
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import SteppedSimulator
from hpvqa.tasks import TASKS
from hpvqa.tasks.outcome import Outcome


@cache
def cameras(rig: str, task: str) -> tuple[str, tuple[CameraSpec, ...]]:
    """The name of a rig, and its cameras."""
    loaded = load_rig(rig)
    return loaded.name, loaded.cameras(task)


def sample(
    task: str, index: int = 0, *, seed: int = 0, attempt: int = 0, rig: str = "paper", **nuisance: object
) -> EpisodeSpec:
    return sample_episode(
        TASKS[task],
        TASKS[task].ranges(),
        Randomization.model_validate(nuisance),
        *cameras(rig, task),
        seed=seed,
        index=index,
        attempt=attempt,
    )


def with_hidden(spec: EpisodeSpec, left: float, right: float) -> EpisodeSpec:
    """The same episode with other hidden values."""
    return with_values(spec, {"left": left, "right": right})


def other_answer(spec: EpisodeSpec) -> EpisodeSpec:
    """The same episode with hidden values changed places, or turned round if there is one thing alone."""
    values = TASKS[spec.task].values(spec)
    if len(values) == 1:
        return with_values(spec, {name: -value for name, value in values.items()})
    return with_values(spec, dict(zip(values, reversed(values.values()), strict=True)))


def with_values(spec: EpisodeSpec, values: Mapping[str, float]) -> EpisodeSpec:
    """The same episode with other hidden values, by the names of things."""
    hidden = TASKS[spec.task].hidden
    things = tuple(
        thing.with_hidden(hidden, values[thing.name]) if thing.name in values else thing for thing in spec.things
    )
    return spec.model_copy(update={"things": things})


def with_things(spec: EpisodeSpec, **changes: Mapping[str, object]) -> EpisodeSpec:
    """The same episode with things of other properties, by name."""
    things = tuple(thing.model_copy(update=dict(changes.get(thing.name, {}))) for thing in spec.things)
    return spec.model_copy(update={"things": things})


@cache
def physics() -> SteppedSimulator:
    """One simulator for all tests of a process: that it carries nothing over is tested too."""
    return open_simulator(None)


@dataclass(frozen=True)
class Run:
    events: tuple[Event, ...]
    final: dict[str, Pose]
    outcome: Outcome
    rows: dict[str, NDArray[np.float64]]


def run(spec: EpisodeSpec, simulator: SteppedSimulator | None = None, rate: int = 60) -> Run:
    """Run an episode without pictures, a row of the trajectory ``rate`` times a second."""
    simulator = simulator or physics()
    task = TASKS[spec.task]
    planner = Planner(task.waypoints(spec))
    simulator.reset(spec, planner.command(0.0))
    detector = EventDetector(spec, simulator.timestep)
    every = round(1 / (rate * simulator.timestep))
    rows = []
    for step in range(round(planner.duration / simulator.timestep)):
        command = planner.command(step * simulator.timestep)
        if step % every == 0:
            rows.append(row(simulator.state(), command))
        simulator.step(command)
        detector.update(simulator.state())
    final = final_poses(simulator.state())
    outcome = task.check(spec, detector.events(), final)
    columns = np.array(rows).T
    return Run(detector.events(), final, outcome, dict(zip(column_names(spec.names), columns, strict=True)))


def points(camera: CameraSpec, depth: NDArray[np.uint16]) -> NDArray[np.float64]:
    """Where in the world the centres of pixels lie, shape (height, width, 3) [m]: what users do with a depth."""
    height, width = depth.shape
    focal = focal_pixels(camera.focal_length, width)
    v, u = np.mgrid[:height, :width] + 0.5
    rays = np.stack([(u - width / 2) / focal, (height / 2 - v) / focal, -np.ones_like(u)], axis=2)
    return np.array(camera.position) + (rays @ rotation(camera.quat_wxyz).T) * depth[:, :, None] / 1000
