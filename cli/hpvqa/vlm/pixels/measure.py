"""One clip measured: the quantity of each object, and how likely each answer is."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import UsageError, nearest
from hpvqa.record.episode import CameraRecord
from hpvqa.scene.spec import Side
from hpvqa.vlm.pixels.belief import Belief
from hpvqa.vlm.pixels.bounce import RESTITUTION
from hpvqa.vlm.pixels.drop import restitutions
from hpvqa.vlm.pixels.push import DISPLACEMENT, displacements
from hpvqa.vlm.pixels.survey import survey

TASKS = ("push", "drop")


@dataclass(frozen=True)
class Measured:
    """What a clip shows.

    Attributes:
        quantity: What was measured: displacement [m] or restitution [1].
        left: Of the left object; None where it was not found.
        right: Of the right object.
        p_left: Probability that the answer to the task's question is left.
    """

    quantity: Literal["displacement", "restitution"]
    left: float | None
    right: float | None
    p_left: float


def measure_clip(frames: Iterable[NDArray[np.uint8]], camera: CameraRecord, fps: float, task: str) -> Measured:
    """Measure what happened to both objects in one clip.

    Args:
        frames: RGB frames, each of shape (height, width, 3); they are gone through more than once.
        camera: Pose and intrinsics of the camera, for frames of this size.
        fps: Frame rate [1/s].
        task: Name of the task.

    Raises:
        UsageError: There is no way to measure this task.
    """
    if task not in TASKS:
        raise UsageError(f"pixels cannot measure the task {task!r}; {nearest(task, TASKS)}")
    seen = survey(frames, camera, fps)
    found: dict[Side, Belief] = {}
    if task == "push":
        if seen is not None:
            found = displacements(seen)
        left, right = _both(found, DISPLACEMENT)
        # The heavier cube is the one that went less far.
        return Measured("displacement", _best(found, "left"), _best(found, "right"), right.exceeds(left))
    if seen is not None:
        found = restitutions(seen, frames, fps)
    left, right = _both(found, RESTITUTION)
    return Measured("restitution", _best(found, "left"), _best(found, "right"), left.exceeds(right))


def _both(found: dict[Side, Belief], values: NDArray[np.float64]) -> tuple[Belief, Belief]:
    """An object that was not found may have any value."""
    nothing = Belief.none(values)
    return found.get("left", nothing), found.get("right", nothing)


def _best(found: dict[Side, Belief], side: Side) -> float | None:
    return found[side].best if side in found else None
