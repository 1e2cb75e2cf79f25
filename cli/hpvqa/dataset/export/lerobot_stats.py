"""``meta/stats.json`` of a LeRobotDataset: what its trainers normalise with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpvqa.record.decode import read_frames

QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)
_CLIPS, _FRAMES = 100, 8
"""Of so many clips of a camera so many frames stand for all pictures, evenly spread."""
_LEVELS = 256


def of_numbers(columns: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, list[float]]]:
    """Statistics of columns, each of shape (frames,) or (frames, n), over all frames."""
    found = {}
    for name, values in columns.items():
        rows = values.reshape(len(values), -1).astype(np.float64)
        quantiles = dict(zip(map(_name, QUANTILES), np.quantile(rows, QUANTILES, axis=0), strict=True))
        figures = {"min": rows.min(0), "max": rows.max(0), "mean": rows.mean(0), "std": rows.std(0), **quantiles}
        found[name] = {**{key: value.tolist() for key, value in figures.items()}, "count": [len(rows)]}
    return found


def of_pictures(clips: Sequence[tuple[Path, int]]) -> dict[str, Any]:
    """Statistics of the pictures of one camera, by channel, from 0 to 1, in LeRobot's shape (3, 1, 1).

    Args:
        clips: Each clip with the number of its frames.

    Raises:
        RunError: A clip cannot be decoded.
    """
    counts = np.zeros((3, _LEVELS), np.int64)
    pictures = 0
    for clip, frames in (clips[number] for number in _spread(len(clips), _CLIPS)):
        images = read_frames(clip, _spread(frames, _FRAMES))
        pictures += len(images)
        for channel in range(3):
            counts[channel] += np.bincount(images[..., channel].reshape(-1), minlength=_LEVELS)
    return {**_of_levels(counts), "count": [pictures]}


def _of_levels(counts: NDArray[np.int64]) -> dict[str, Any]:
    """Statistics of pixels of which it is known how many have each brightness, shape (3, 256)."""
    levels, whole = np.arange(_LEVELS) / (_LEVELS - 1), counts.sum(1)
    share = np.cumsum(counts, axis=1) / whole[:, None]
    mean = counts @ levels / whole
    figures = {
        "min": levels[(counts > 0).argmax(1)],
        "max": levels[_LEVELS - 1 - (counts[:, ::-1] > 0).argmax(1)],
        "mean": mean,
        "std": np.sqrt(np.maximum(counts @ levels**2 / whole - mean**2, 0.0)),
        **{_name(quantile): levels[(share >= quantile).argmax(1)] for quantile in QUANTILES},
    }
    return {key: value.reshape(3, 1, 1).tolist() for key, value in figures.items()}


def _spread(count: int, most: int) -> list[int]:
    return [round(float(place)) for place in np.linspace(0, count - 1, min(count, most))]


def _name(quantile: float) -> str:
    return f"q{round(100 * quantile):02d}"
