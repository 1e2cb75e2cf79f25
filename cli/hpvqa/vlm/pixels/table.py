"""The table's paint: whatever lies on the table and is not painted like it may be an object."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from hpvqa.vlm.pixels.view import View

TABLE_X = (0.1, 1.1)
TABLE_Y = (-0.6, 0.6)
"""Extent of the table top [m]."""
MATCH = 10.0
"""A pixel this close to a shade of the table's paint is table [grey levels]."""
CLEAR = 25.0
"""A pixel this far from every shade of it is something else [grey levels]."""

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
    """

    color: NDArray[np.float32]
    dark: float
    bright: float

    def distance(self, colors: Colors) -> NDArray[np.float32]:
        """How far colours, shape (..., 3), are from the nearest shade [grey levels], shape (...)."""
        pixels = colors.astype(np.float32)
        shade = np.clip(pixels @ self.color / (self.color @ self.color), self.dark, self.bright)
        difference = pixels - shade[..., None] * self.color
        return np.asarray(np.sqrt(np.einsum("...c,...c->...", difference, difference)), np.float32)

    def absence(self, colors: Colors) -> NDArray[np.float32]:
        """How surely colours, shape (..., 3), are another paint, from 0 to 1, shape (...)."""
        return np.asarray(np.clip((self.distance(colors) - MATCH) / (CLEAR - MATCH), 0, 1), np.float32)


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
    any_shade = Paint(color, 0.0, np.inf)
    shades = colors[any_shade.distance(colors) < MATCH] @ color / (color @ color)
    dark, bright = np.percentile(shades, [2, 98])
    return Paint(color, float(dark), float(bright))
