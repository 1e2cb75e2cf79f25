"""One clip measured: the quantity of each object, and how likely each answer is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import UsageError
from hpvqa.probes.traces import Moved
from hpvqa.record.episode import CameraRecord
from hpvqa.scene.spec import SIDES, Side
from hpvqa.tasks import get_task
from hpvqa.tasks.pair import PairTask
from hpvqa.vlm.pixels.belief import Belief
from hpvqa.vlm.pixels.moved import displacements, grid
from hpvqa.vlm.pixels.path import values_of
from hpvqa.vlm.pixels.solid import Solid
from hpvqa.vlm.pixels.survey import survey


@dataclass(frozen=True)
class Measured:
    """What a clip shows.

    Attributes:
        quantity: What was measured: how far things moved [m], or the hidden property itself.
        left: Of the left thing; None where it was not found.
        right: Of the right thing.
        p_left: Probability that the answer to the task's question is left.
    """

    quantity: str
    left: float | None
    right: float | None
    p_left: float


def measure_clip(frames: Iterable[NDArray[np.uint8]], camera: CameraRecord, fps: float, task: str) -> Measured:
    """Measure what happened to both things in one clip.

    Args:
        frames: RGB frames, each of shape (height, width, 3); they are gone through more than once.
        camera: Pose and intrinsics of the camera, for frames of this size.
        fps: Frame rate [1/s].
        task: Name of the task.

    Raises:
        UsageError: There is no such task, or no way to measure it.
    """
    kind = get_task(task)
    if not isinstance(kind, PairTask):
        raise UsageError(f"pixels cannot measure the task {task!r}, which is not about a left and a right thing")
    things = {side: kind.example(side) for side in SIDES}
    solids = {side: Solid.of(thing) for side, thing in things.items()}
    trace = kind.probe.trace(things["left"], kind.hidden)
    seen = survey(frames, camera, fps)
    found: dict[Side, Belief] = {}
    if isinstance(trace, Moved):
        if seen is not None:
            found = displacements(seen, trace, solids)
        return _measured(kind.probe.quantity, found, grid(trace), kind.trend)
    if seen is not None:
        found = values_of(seen, frames, fps, trace, solids)
    return _measured(kind.hidden, found, trace.values, 1)


def _measured(quantity: str, found: dict[Side, Belief], values: NDArray[np.float64], trend: int) -> Measured:
    """What beliefs about both things mean; one that was not found may have any value."""
    nothing = Belief.none(values)
    left, right = found.get("left", nothing), found.get("right", nothing)
    p_left = left.exceeds(right) if trend > 0 else right.exceeds(left)
    return Measured(quantity, _best(found, "left"), _best(found, "right"), p_left)


def _best(found: dict[Side, Belief], side: Side) -> float | None:
    return found[side].best if side in found else None
