"""Statistics of a LeRobotDataset and of its episodes: what its trainers normalise with."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpvqa.record.decode import read_frames

QUANTILES = (0.01, 0.1, 0.5, 0.9, 0.99)
_FRAMES = 8
"""So many frames stand for all of a clip, evenly spread."""
_LEVELS = 256


class Statistics:
    """Statistics of a data set, whose episodes are given one after the other."""

    def __init__(self) -> None:
        self._numbers: list[Mapping[str, NDArray[Any]]] = []
        self._levels: dict[str, NDArray[np.int64]] = {}
        self._pictures: dict[str, int] = {}

    def of_episode(self, numbers: Mapping[str, NDArray[Any]], clips: Mapping[str, Path], frames: int) -> dict[str, Any]:
        """Take an episode.

        Args:
            numbers: Its columns, each of shape (frames,) or (frames, n).
            clips: The clip of each camera.
            frames: The number of its frames.

        Returns:
            Its own statistics, as LeRobot has them in a row about an episode.

        Raises:
            RunError: A clip cannot be decoded.
        """
        self._numbers.append(numbers)
        found = _of_numbers(numbers)
        for name, clip in clips.items():
            images = read_frames(clip, _spread(frames))
            levels = np.stack([np.bincount(images[..., one].reshape(-1), minlength=_LEVELS) for one in range(3)])
            found[name] = _of_pictures(levels, len(images))
            self._levels[name] = self._levels.get(name, 0) + levels
            self._pictures[name] = self._pictures.get(name, 0) + len(images)
        return {f"stats/{name}/{key}": value for name, of in found.items() for key, value in of.items()}

    def of_all(self) -> dict[str, dict[str, Any]]:
        """Those of all episodes that were given, by column and camera."""
        columns = {name: np.concatenate([numbers[name] for numbers in self._numbers]) for name in self._numbers[0]}
        pictures = {name: _of_pictures(levels, self._pictures[name]) for name, levels in self._levels.items()}
        return {**_of_numbers(columns), **pictures}


def _of_numbers(columns: Mapping[str, NDArray[Any]]) -> dict[str, dict[str, Any]]:
    """Statistics of columns over all frames."""
    found = {}
    for name, values in columns.items():
        rows = values.reshape(len(values), -1).astype(np.float64)
        quantiles = dict(zip(map(_name, QUANTILES), np.quantile(rows, QUANTILES, axis=0), strict=True))
        figures = {"min": rows.min(0), "max": rows.max(0), "mean": rows.mean(0), "std": rows.std(0), **quantiles}
        found[name] = {**{key: value.tolist() for key, value in figures.items()}, "count": [len(rows)]}
    return found


def _of_pictures(counts: NDArray[np.int64], pictures: int) -> dict[str, Any]:
    """Statistics of pictures, from 0 to 1, by channel, in LeRobot's shape (3, 1, 1).

    Args:
        counts: How many of their pixels have each brightness, shape (3, 256).
        pictures: How many they are.
    """
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
    return {**{key: value.reshape(3, 1, 1).tolist() for key, value in figures.items()}, "count": [pictures]}


def _spread(count: int) -> list[int]:
    return [round(float(place)) for place in np.linspace(0, count - 1, min(count, _FRAMES))]


def _name(quantile: float) -> str:
    return f"q{round(100 * quantile):02d}"
