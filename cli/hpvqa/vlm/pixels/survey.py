"""A first look through a clip: how it begins and ends, and where the bare table comes to sight at some time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.record.episode import CameraRecord
from hpvqa.vlm.pixels.table import table_paint
from hpvqa.vlm.pixels.view import View

LOOKS_PER_SECOND = 2.0
"""The bare table is looked for in this many frames a second."""


@dataclass(frozen=True)
class Survey:
    """What the first look shows. Every map tells how surely a pixel is not the table, 0 to 1, shape (height, width).

    Attributes:
        view: The camera.
        start: The map of the first frame.
        end: The map of the last frame.
        always: The map of what is never table.
        looks: The maps of single frames, by number of the frame.
    """

    view: View
    start: NDArray[np.float32]
    end: NDArray[np.float32]
    always: NDArray[np.float32]
    looks: dict[int, NDArray[np.float32]]


def survey(frames: Iterable[NDArray[np.uint8]], camera: CameraRecord, fps: float) -> Survey | None:
    """Look through a clip; None where it has no frames, or its first one shows no table."""
    stream = iter(frames)
    first = next(stream, None)
    if first is None:
        return None
    view = View(camera, first.shape[1], first.shape[0])
    paint = table_paint(first, view)
    if paint is None:
        return None
    looks = {0: paint.absence(first)}
    number, last = 0, first
    every = max(1, round(fps / LOOKS_PER_SECOND))
    for number, last in enumerate(stream, 1):
        if number % every == 0:
            looks[number] = paint.absence(last)
    if number not in looks:
        looks[number] = paint.absence(last)
    return Survey(view, looks[0], looks[number], np.minimum.reduce(list(looks.values())), looks)
