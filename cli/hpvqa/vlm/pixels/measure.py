"""One clip measured: what each thing did, what that says of its hidden property, and how likely each answer is."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import UsageError
from hpvqa.probes.distribution import Distribution
from hpvqa.probes.traces import Moved, Path, Trace
from hpvqa.record.episode import CameraRecord
from hpvqa.scene.spec import Thing
from hpvqa.tasks import get_task
from hpvqa.vlm.pixels.locate import Solid
from hpvqa.vlm.pixels.moved import displacement, turn
from hpvqa.vlm.pixels.path import values_of
from hpvqa.vlm.pixels.table import survey


@dataclass(frozen=True)
class Measured:
    """What a clip shows.

    Attributes:
        quantity: What was measured: how things moved, or the hidden property itself.
        values: The most probable value of each thing, by name; None where it was not found.
        p_left: Probability that the answer to the task's question is left.
        hidden: What is believed of the hidden property of each thing that was found, by name.
    """

    quantity: str
    values: dict[str, float | None]
    p_left: float
    hidden: dict[str, Distribution] = field(compare=False)


def measure_clip(frames: Iterable[NDArray[np.uint8]], camera: CameraRecord, fps: float, task: str) -> Measured:
    """Measure what happened to all things in one clip.

    Args:
        frames: RGB frames, each of shape (height, width, 3); they are gone through more than once.
        camera: Pose and intrinsics of the camera, for frames of this size.
        fps: Frame rate [1/s].
        task: Name of the task.

    Raises:
        UsageError: There is no such task, or no way to measure it.
    """
    kind = get_task(task)
    things = kind.examples()
    if len(things) > 2:
        raise UsageError(f"pixels cannot measure the task {task!r}: it compares no more than two things")
    thing, names = things[0], [thing.name for thing in things]
    trace = kind.probe.trace(thing, kind.hidden)
    found = look(frames, camera, fps, trace, things)
    quantity, hidden, rising = kind.hidden, found, True
    if not isinstance(trace, Path):
        quantity, rising = kind.probe.quantity, kind.rises
        hidden = {name: kind.believed(name, seen, kind.probe.sharpness) for name, seen in found.items()}
    best = {name: found[name].best if name in found else None for name in names}
    return Measured(quantity, best, _p_left(found, names, trace.values, rising), hidden)


def look(
    frames: Iterable[NDArray[np.uint8]], camera: CameraRecord, fps: float, trace: Trace, things: Sequence[Thing]
) -> dict[str, Distribution]:
    """What is believed of each thing that is found: what was measured of it, or, of a path, the hidden value."""
    seen = survey(frames, camera, fps)
    if seen is None:
        return {}
    if isinstance(trace, Path):
        return values_of(seen, frames, fps, trace, things)
    solids = {thing.name: Solid.of(thing) for thing in things}
    beliefs = {
        name: displacement(seen, trace, solid) if isinstance(trace, Moved) else turn(seen, trace, solid)
        for name, solid in solids.items()
    }
    return {name: belief for name, belief in beliefs.items() if belief is not None}


def _p_left(found: dict[str, Distribution], names: Sequence[str], values: NDArray[np.float64], rising: bool) -> float:
    """Probability that the first thing has more than the second one, or, where it is alone, more than nothing.

    One that was not found may have any value; ``rising`` is whether more was measured of what has more.
    """
    nothing = Distribution.none(values)
    one = found.get(names[0], nothing)
    other = found.get(names[1], nothing) if len(names) > 1 else Distribution.sure(values, 0.0)
    return one.exceeds(other) if rising else other.exceeds(one)
