"""The pixels baseline as an answerer."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import UsageError
from hpvqa.probes.distribution import Distribution
from hpvqa.record.decode import iter_frames
from hpvqa.scene.spec import Side
from hpvqa.tasks import get_task
from hpvqa.vlm.baselines import value_answer
from hpvqa.vlm.pixels.measure import Measured, measure_clip
from hpvqa.vlm.protocol import Answer, OneByOne, Query

LEAST = 0.001
"""No answer is thought less likely than this: something that nobody thought of may have happened."""


@dataclass(frozen=True)
class ClipFrames:
    """The frames of a clip, decoded anew each time that they are gone through."""

    clip: Path

    def __iter__(self) -> Iterator[NDArray[np.uint8]]:
        """Start from the first frame."""
        return iter_frames(self.clip)


class PixelsAnswerer(OneByOne):
    """Measures what the clip shows, knowing the task and the camera, but neither colours, nor places, nor the label."""

    name = "pixels"
    distributions = ("av", "numpy")

    def __init__(self) -> None:
        self._latest: tuple[Path, Measured] | None = None

    def answer_one(self, query: Query) -> Answer:
        """Measure, then compare, or say what follows for the thing that is asked about.

        Raises:
            HpvqaError: The clip does not decode, its camera is not known, or the task cannot be measured.
        """
        if query.camera is None:
            raise UsageError(f"{query.key} has no camera calibration, which pixels cannot do without")
        # All questions about a clip follow each other.
        if self._latest is None or self._latest[0] != query.clip:
            self._latest = (query.clip, measure_clip(ClipFrames(query.clip), query.camera, query.fps, query.task))
        measured = self._latest[1]
        if query.about is not None:
            return _value(measured, query.task, query.about)
        p_left = min(max(measured.p_left, LEAST), 1 - LEAST)
        shown = ", ".join(f"{name} {_show(value)}" for name, value in measured.values.items())
        probability: dict[Side, float] = {"left": p_left, "right": 1 - p_left}
        return Answer(
            choice="left" if p_left >= 0.5 else "right",
            text=f"{measured.quantity} {shown}",
            logprobs={side: math.log(probability[side]) for side in query.choices},
        )


def _value(measured: Measured, task: str, about: str) -> Answer:
    """The value of one thing; of one that was not found, any may be true."""
    kind = get_task(task)
    belief = measured.hidden.get(about)
    said = f"{measured.quantity} {_show(measured.values.get(about))}"
    return value_answer(kind, Distribution.none(kind.grid) if belief is None else belief, said)


def _show(value: float | None) -> str:
    return "not found" if value is None else f"{value:.3f}"
