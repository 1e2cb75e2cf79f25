"""The table's paint: whatever lies on the table and is not painted like it may be an object, and when that is so."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from hpvqa.record.episode import CameraRecord
from hpvqa.scene.room import TABLE_CENTER, TABLE_HALF
from hpvqa.vlm.pixels.view import View

TABLE_X, TABLE_Y = (
    (round(center - half, 9), round(center + half, 9)) for center, half in zip(TABLE_CENTER, TABLE_HALF, strict=False)
)
"""Extent of the table top [m]."""
MARGIN = 15.0
"""A pixel this much further from the table's paint than the table itself strays is surely no table [grey levels]."""
LOOKS_PER_SECOND = 2.0
"""The bare table is looked for in this many frames a second."""

_ALIKE = 30.0
_SHADOW = 0.52
"""A shadow leaves at least this share of the brightest shade."""
_LEAST_SPREAD = 8.0
_GRID = 0.02
_BINS = 16

Colors = NDArray[np.uint8] | NDArray[np.float32]


@dataclass(frozen=True)
class Paint:
    """A paint as it looks in one clip, from its darkest shade to its brightest.

    Attributes:
        color: One shade, RGB in grey levels.
        dark: The darkest shade as a multiple of it.
        bright: The brightest.
        spread: How far the paint's own pixels stray from its shades, as compression and blurred shadows make them.
    """

    color: NDArray[np.float32]
    dark: float
    bright: float
    spread: float

    def distance(self, colors: Colors) -> NDArray[np.float32]:
        """How far colours, shape (..., 3), are from the nearest shade [grey levels], shape (...)."""
        pixels = colors.astype(np.float32)
        shade = np.clip(pixels @ self.color / (self.color @ self.color), self.dark, self.bright)
        difference = pixels - shade[..., None] * self.color
        return np.asarray(np.sqrt(np.einsum("...c,...c->...", difference, difference)), np.float32)

    def absence(self, colors: Colors) -> NDArray[np.float32]:
        """How surely colours, shape (..., 3), are another paint, from 0 to 1, shape (...)."""
        return np.asarray(np.clip((self.distance(colors) - self.spread) / MARGIN, 0, 1), np.float32)


def table_paint(image: NDArray[np.uint8], view: View) -> Paint | None:
    """The most common colour on the table top, with all its shades; None where no table is in sight."""
    x, y = np.meshgrid(np.arange(*TABLE_X, _GRID), np.arange(*TABLE_Y, _GRID))
    colors = view.samples(np.stack([x, y, np.zeros_like(x)], axis=-1)).read(image)
    colors = colors[np.isfinite(colors[..., 0])]
    if not len(colors):
        return None
    bins = (colors / 256 * _BINS).astype(int) @ np.array([_BINS * _BINS, _BINS, 1])
    common = np.bincount(bins).argmax()
    color = np.maximum(np.median(colors[bins == common], axis=0), 1).astype(np.float32)
    # A shadow may be too small to be among the samples, so that only the brightest shade is taken from them.
    any_shade = Paint(color, _SHADOW, 1 / _SHADOW, 0.0)
    painted = colors[any_shade.distance(colors) < _ALIKE]
    bright = float(np.percentile(painted @ color / (color @ color), 98))
    shades = Paint(color, _SHADOW * bright, bright, 0.0)
    return replace(shades, spread=max(_LEAST_SPREAD, float(np.percentile(shades.distance(painted), 85))))


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
