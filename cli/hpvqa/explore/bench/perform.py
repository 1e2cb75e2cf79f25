"""Carrying out an experiment in a simulator: its clip, and what went wrong."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.bench.methods import Method
from hpvqa.probes.base import Probe
from hpvqa.probes.events import Event, Pose
from hpvqa.scene.spec import CameraSpec, Thing, WorldSpec
from hpvqa.sim.events import EventDetector
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import SteppedSimulator


@dataclass(frozen=True)
class Performed:
    """An experiment that was carried out.

    Attributes:
        clips: What each camera saw of it, shape (frames, height, width, 3): the first frame before anything happens,
            the last one when all is over.
        events: Everything that happened to the thing, by time.
        final: Where the thing is at the end.
        mishap: What went wrong, in words; None if nothing did.
    """

    clips: tuple[NDArray[np.uint8], ...]
    events: tuple[Event, ...]
    final: Pose
    mishap: str | None


def planned(probe: Probe, thing: Thing) -> Planner:
    """What the robot does."""
    plan = [probe.begin(), *probe.waypoints(thing, first=True)]
    return Planner([*plan, *probe.end(plan[-1])])


def perform(
    simulator: SteppedSimulator, world: WorldSpec, method: Method, thing: Thing, cameras: Sequence[CameraSpec]
) -> Performed:
    """Set a world up anew, and make an experiment with one of its things.

    Args:
        simulator: Where.
        world: How everything stands before.
        method: What is done.
        thing: With what.
        cameras: From where it is filmed.
    """
    planner = planned(method.probe, thing)
    simulator.reset(world, planner.command(0.0))
    detector = EventDetector(world, simulator.timestep)
    shots: list[list[NDArray[np.uint8]]] = [[] for _ in cameras]
    every, steps = round(1 / (method.fps * simulator.timestep)), round(planner.duration / simulator.timestep)
    # The last frame shows the end, and all frames are equally far apart.
    first = steps % every
    for step in range(steps + 1):
        if step % every == first or (step == 0 and first > every // 2):
            for camera, taken in zip(cameras, shots, strict=True):
                taken.append(simulator.render(camera).copy())
        if step < steps:
            simulator.step(planner.command((step + 1) * simulator.timestep))
            detector.update(simulator.state())
    body = simulator.state().things[thing.name]
    x, y, z = map(float, body.position)
    w, a, b, c = map(float, body.quat_wxyz)
    final, events = Pose((x, y, z), (w, a, b, c)), detector.events()
    mishap = method.probe.mishap(thing, events, final)
    return Performed(tuple(np.stack(taken) for taken in shots), events, final, mishap)
