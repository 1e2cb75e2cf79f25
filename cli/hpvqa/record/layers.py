"""Depth and segmentation of a recorded episode, as arrays."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from hpvqa.errors import RunError
from hpvqa.record.opening import opened
from hpvqa.record.video import PIXELS
from hpvqa.scene.layers import Layer


def layer_file(camera: str, layer: Layer) -> str:
    """Name of the file of one layer of one camera."""
    return f"{camera}.{layer}.mkv"


def iter_layer(folder: Path, camera: str, layer: Layer) -> Iterator[NDArray[Any]]:
    """All frames of one layer in order, bit by bit as they were drawn, each of shape (height, width).

    They have the place, the size and the times of the frames of the camera's clip. Depth is in millimetres along the
    camera's line of sight (uint16; 0 where nothing is, 65535 there or beyond); what the numbers of a segmentation mean
    (uint8) is in ``layers.labels`` of the episode's record.

    Args:
        folder: The episode's folder.
        camera: Name of the camera.
        layer: Which one.

    Raises:
        RunError: The file is missing, damaged, or no such layer.
    """
    path = folder / layer_file(camera, layer)
    with opened(path) as (container, stream):
        for frame in container.decode(stream):
            if frame.format.name != PIXELS[layer]:
                raise RunError(f"{path} holds no {layer}: its pixels are {frame.format.name}, not {PIXELS[layer]}")
            yield frame.to_ndarray()


def read_layer(folder: Path, camera: str, layer: Layer, frames: Sequence[int] | None = None) -> NDArray[Any]:
    """The same as one array, of shape (frames, height, width).

    Args:
        folder: The episode's folder.
        camera: Name of the camera.
        layer: Which one.
        frames: Numbers of the frames that are wanted, in this order; the first one is 0. None: all.

    Raises:
        RunError: The file is missing, damaged, no such layer, or too short.
    """
    wanted = None if frames is None else frozenset(frames)
    found: dict[int, NDArray[Any]] = {}
    for number, picture in enumerate(iter_layer(folder, camera, layer)):
        if wanted is None or number in wanted:
            found[number] = picture
            if wanted is not None and len(found) == len(wanted):
                break
    numbers = range(len(found)) if frames is None else frames
    missing = sorted(set(numbers) - found.keys())
    if missing or not numbers:
        path = folder / layer_file(camera, layer)
        raise RunError(f"{path} has no frame {missing[0] if missing else 0}; it was cut short, or another is meant")
    return np.stack([found[number] for number in numbers])
