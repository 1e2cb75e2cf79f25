"""How a clip says that its pictures are to be shown turned or mirrored, and doing so, as players do."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from av.sidedata.sidedata import Type
from av.video.frame import VideoFrame
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
"""Shape (height, width, ...)."""


@dataclass(frozen=True)
class Turn:
    """Quarter turns and mirrorings of a picture, the only ones that cameras and editors write.

    Attributes:
        swapped: Whether rows become columns; this comes first.
        left_right: Whether columns are in reverse order.
        upside_down: Whether rows are in reverse order.
    """

    swapped: bool = False
    left_right: bool = False
    upside_down: bool = False

    def size(self, width: int, height: int) -> tuple[int, int]:
        """Width and height after the turn, from those before it; and the other way round, for it swaps them or not."""
        return (height, width) if self.swapped else (width, height)

    def __call__(self, picture: Picture) -> Picture:
        """The picture as it is to be shown."""
        if self == _NONE:
            return picture
        shown = picture.swapaxes(0, 1) if self.swapped else picture
        shown = shown[::-1] if self.upside_down else shown
        return np.ascontiguousarray(shown[:, ::-1] if self.left_right else shown)


_NONE = Turn()


def turn_of(frame: VideoFrame) -> Turn:
    """How a frame is to be shown.

    A display matrix (ISO/IEC 14496-12, 6.2.2) has rows (a, b, u), (c, d, v) and (x, y, w) and sends a point (p, q) of
    the coded picture, q downwards, to (a p + c q + x, b p + d q + y). Other angles count as the nearest quarter turn.
    """
    data = frame.side_data.get(Type.DISPLAYMATRIX)  # type: ignore[call-overload]  # PyAV's own types lack it
    if data is None or len(bytes(data)) != _MATRIX.size:
        return _NONE
    a, b, _, c, d, *_ = _MATRIX.unpack(bytes(data))
    if abs(b) > abs(a):
        return Turn(swapped=True, left_right=c < 0, upside_down=b < 0)
    return Turn(left_right=a < 0, upside_down=d < 0)


_MATRIX = struct.Struct("=9i")
