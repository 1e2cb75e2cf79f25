"""How a clip says that its pixels are not square, and the size of its pictures as players show them."""

from __future__ import annotations

from fractions import Fraction

from av.video.stream import VideoStream

from hpvqa.record.fitting import Size

_MOST = 4
"""No camera has pixels that are longer than this many times their other side; such a clip is taken to be mistaken."""


def pixel_shape(stream: VideoStream) -> Fraction:
    """Width over height of a pixel; 1 where a clip says nothing, or what cannot be."""
    said = stream.sample_aspect_ratio
    return Fraction(said) if said and Fraction(1, _MOST) <= said <= _MOST else Fraction(1)


def with_square_pixels(width: int, height: int, shape: Fraction) -> Size:
    """The size of a picture with square pixels that shows all of what is there: wide ones make it wider, narrow taller.

    Args:
        width: As it is stored [pixels].
        height: As it is stored [pixels].
        shape: Width over height of a pixel.
    """
    return (round(width * shape), height) if shape >= 1 else (width, round(height / shape))
