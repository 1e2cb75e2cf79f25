"""Experiments carried out and read from rendered frames, as the baseline ``pixels`` reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.bench.draw import TYPES
from hpvqa.explore.bench.layout import draw_things
from hpvqa.explore.bench.methods import KINDS, Kind, Method
from hpvqa.explore.bench.perform import perform
from hpvqa.explore.bench.views import AZIMUTHS, DISTANCE, ELEVATIONS, LIGHT, Stand
from hpvqa.probes.traces import Path
from hpvqa.record.episode import CameraRecord
from hpvqa.scene.materials import material_room
from hpvqa.scene.spec import CameraSpec, Thing, WorldSpec
from hpvqa.sim.protocol import SteppedSimulator
from hpvqa.vlm.pixels.measure import look

STANDS = [Stand(azimuth, level) for level in ELEVATIONS for azimuth in AZIMUTHS if azimuth >= 0]
"""Both sides of the table are alike."""


@dataclass(frozen=True)
class Sample:
    """One experiment.

    Attributes:
        node: Number of the combination of hidden values.
        measured: What the simulator measured, as it is read.
        read: What was read from each place, by its name; None where nothing could be made out.
        mishap: What went wrong; None if nothing did.
    """

    node: int
    measured: float
    read: dict[str, float | None]
    mishap: str | None


def samples(
    simulator: SteppedSimulator, method: Method, kind: Kind, count: int, rng: np.random.Generator, *, films: bool
) -> Iterator[Sample]:
    """Experiments with things of all hidden values in turn, among others as in scenes, in rooms that are drawn.

    Args:
        simulator: Where.
        method: What is done.
        kind: With what.
        count: How often.
        rng: For everything that is drawn.
        films: Whether they are filmed and read.
    """
    among = [list(one.nouns) for one in TYPES if kind.noun in one.nouns]
    order: list[int] = []
    for number in range(count):
        if number % len(kind.nodes) == 0:
            order = rng.permutation(len(kind.nodes)).tolist()
        node = order[number % len(kind.nodes)]
        nouns = sorted(among[int(rng.integers(len(among)))], key=lambda noun: noun != kind.noun)
        items = draw_things([KINDS[noun] for noun in nouns], rng, first=kind.nodes[node])
        things = [item.thing for item in items]
        thing = things[0]
        stands = STANDS if films else []
        cameras = [stand.camera(rng.uniform(*DISTANCE)) for stand in stands]
        world = WorldSpec(things=tuple(things), room=material_room(rng), light=LIGHT, cameras=tuple(cameras[:1]))
        done = perform(simulator, world, method, thing, cameras)
        yield Sample(
            node,
            method.scale * method.probe.measure(thing, done.events, done.final),
            {
                stand.name: read(method, thing, clip, camera)
                for stand, clip, camera in zip(stands, done.clips, cameras, strict=True)
            },
            done.mishap,
        )


def read(method: Method, thing: Thing, clip: NDArray[np.uint8], camera: CameraSpec) -> float | None:
    """What is read of a clip; None where nothing can be made out.

    Args:
        method: What is done.
        thing: With what; its hidden values are not used.
        clip: Shape (frames, height, width, 3).
        camera: From where it was filmed.
    """
    trace = method.probe.trace(thing, method.hidden)
    record = CameraRecord.of(camera, clip.shape[2], clip.shape[1])
    found = look(list(clip), record, method.fps, trace, [thing]).get(thing.name)
    if found is None:
        return None
    mean = float(found.values @ found.probability)
    if isinstance(trace, Path):
        # A path tells the hidden value; what is read is what the law makes of it.
        return method.expected(thing.with_hidden(method.hidden, mean))
    return method.scale * mean
