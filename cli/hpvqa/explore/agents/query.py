"""What a model is shown and asked, whether it decides at a turn or is trained on one."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any, cast

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from hpvqa.explore.rays import PIXELS
from hpvqa.vlm.families import Family
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.protocol import Query


def make_query(
    key: str, system: str, text: str, letters: Sequence[str], videos: Sequence[Frames], question: str = ""
) -> Query:
    """A query about pictures and clips.

    Args:
        key: Its name.
        system: What is told before all else.
        text: What stands after the pictures.
        letters: What can be chosen.
        videos: The pictures and clips.
        question: What is asked about the scene; no model is told it but in the text.
    """
    return Query(
        key=key,
        task="explore",
        clip=Path(key),
        fps=1.0,
        frames=1,
        camera=None,
        question=question,
        system=system,
        text=text,
        choices=cast(Any, tuple(letters)),
        episode=Path(key),
        videos=tuple(videos),
    )


def as_video(pictures: NDArray[np.uint8], size: tuple[int, int], fps: float = 1.0) -> Frames:
    """Pictures as a model is given them: a video.

    Args:
        pictures: RGB, shape (n, height, width, 3).
        size: Width and height that the model takes [pixels].
        fps: How many there are a second [1/s].
    """
    images = np.stack([_resized(picture, size) for picture in pictures])
    return Frames(images, tuple(range(len(images))), fps, len(images))


def picture_size(family: Family | None) -> tuple[int, int]:
    """Width and height of the pictures that a model is shown: as large as they are taken, or as it must have them.

    Args:
        family: Its family; None: it is not known.
    """
    if family is None:
        return PIXELS, PIXELS
    if family.pixel_multiple is None:
        return family.resolution
    side = PIXELS // family.pixel_multiple * family.pixel_multiple
    return side, side


def _resized(picture: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    if picture.shape[1::-1] == size:
        return picture
    return np.asarray(Image.fromarray(picture).resize(size, Image.Resampling.BOX))
