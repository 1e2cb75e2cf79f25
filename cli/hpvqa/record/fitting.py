"""How a picture is brought to a size: with bars, so that its shape stays, or squeezed."""

from __future__ import annotations

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Size = tuple[int, int]
"""Width and height [pixels]."""
Fit = Literal["pad", "squeeze"]
"""pad: bars fill what is missing; squeeze: width and height are scaled each by itself."""

BAR = 128
"""Value of every channel of a bar. Grey is about zero once a model has normalised it; the embedded model is as sure of
its answers with it as from square clips, and less so with black (docs/embedded.md)."""


def inner_size(of: Size, into: Size) -> Size:
    """The largest size of the shape of one picture that fits into another, to the nearest pixel.

    A camera of a rig sees the same width of the world whatever the shape of its clips, so that a clip of 640x480 shows
    the middle of one of 640x640: between bars it has the very place and size that it has there.
    """
    (width, height), (wide, high) = of, into
    if width * high >= wide * height:
        return wide, max(round(height * wide / width), 1)
    return max(round(width * high / height), 1), high


def padded(picture: NDArray[np.uint8], size: Size) -> NDArray[np.uint8]:
    """The picture, shape (height, width, ...), in the middle of one of another size, with bars around it."""
    height, width = picture.shape[:2]
    wide, high = size
    if (width, height) == size:
        return picture
    whole = np.full((high, wide, *picture.shape[2:]), BAR, np.uint8)
    top, left = (high - height) // 2, (wide - width) // 2
    whole[top : top + height, left : left + width] = picture
    return whole
