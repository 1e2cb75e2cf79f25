"""A first look through a clip: how it begins and ends, and where the bare table comes to sight at some time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.vlm.pixels.table import table_paint
from hpvqa.vlm.pixels.view import View

LOOKS_PER_SECOND = 2.0
"""The table is looked for in this many frames a second."""


@dataclass(frozen=True)
class Survey:
    """What the first look shows.

    Attributes:
        first: The first frame, shape (height, width, 3).
        start: How surely every pixel of the first frame hides table that is bare at another time, (height, width).
        end: The same of the last frame.
    """

    first: NDArray[np.uint8]
    start: NDArray[np.float32]
    end: NDArray[np.float32]


def survey(frames: Iterable[NDArray[np.uint8]], view: View, fps: float) -> Survey | None:
    """Look through a clip; None where it has no frames, or shows no table."""
    every = max(1, round(fps / LOOKS_PER_SECOND))
    first = paint = frame = None
    for number, frame in enumerate(frames):
        if first is None or paint is None:
            first, paint = frame, table_paint(frame, view)
            if paint is None:
                return None
            covered = start = paint.absence(first)
        elif number % every == 0:
            covered = np.minimum(covered, paint.absence(frame))
    if first is None or frame is None or paint is None:
        return None
    end = paint.absence(frame)
    return Survey(first, start * (1 - covered), end * (1 - np.minimum(covered, end)))
