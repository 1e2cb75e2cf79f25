"""Small clips, encoded in many ways."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]


@dataclass(frozen=True)
class Encoding:
    """How a clip is made."""

    suffix: str = ".mp4"
    codec: str = "libx264"
    pixels: str = "yuv420p"
    size: tuple[int, int] = (64, 48)
    options: dict[str, str] = field(default_factory=dict)
    times: tuple[int, ...] | None = None
    pixel: Fraction | None = None


def moving_pictures(count: int, size: tuple[int, int] = (64, 48), seed: int = 0) -> list[Picture]:
    """A texture that drifts, and a square that jumps: no two pictures are alike, and none is easy to encode."""
    rng = np.random.default_rng(seed)
    width, height = size
    texture = np.kron(rng.integers(0, 255, (height // 4 + 1, width // 4 + 1, 3)), np.ones((4, 4, 1)))[:height, :width]
    pictures = []
    for number in range(count):
        picture = np.roll(texture, 2 * number, axis=1) * 0.7 + rng.normal(0, 6, texture.shape) + 20
        x, y = rng.integers(0, width - 8), rng.integers(0, height - 8)
        picture[y : y + 8, x : x + 8] = rng.integers(0, 255, 3)
        pictures.append(picture.clip(0, 255).astype(np.uint8))
    return pictures


def still_then_moving(count: int, moving: range, size: tuple[int, int] = (64, 48)) -> list[Picture]:
    """A grey picture in which a white square slides during some frames, and is still before and after."""
    pictures = []
    for number in range(count):
        picture = np.full((size[1], size[0], 3), 90, np.uint8)
        x = 2 * min(max(number - moving.start + 1, 0), len(moving))
        picture[16:32, x : x + 16] = 255
        pictures.append(picture)
    return pictures


def encode(path: Path, pictures: Sequence[Picture], encoding: Encoding = Encoding()) -> Path:
    """Write a clip of 10 frames a second with a keyframe a second, unless its encoding says otherwise."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream(encoding.codec, rate=10)
        stream.width, stream.height = encoding.size
        stream.pix_fmt = encoding.pixels
        stream.codec_context.gop_size = 10
        stream.codec_context.time_base = Fraction(1, 100)
        stream.options = dict(encoding.options)
        if encoding.pixel is not None:
            stream.codec_context.sample_aspect_ratio = encoding.pixel
        for number, picture in enumerate(pictures):
            frame = av.VideoFrame.from_ndarray(picture, format="rgb24")
            frame.pts = 10 * number if encoding.times is None else encoding.times[number]
            frame.time_base = Fraction(1, 100)
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return path


def with_matrix(path: Path, matrix: tuple[int, int, int, int]) -> Path:
    """Write the first four numbers (a, b, c, d) of a display matrix into an MP4 file."""
    data = bytearray(path.read_bytes())
    # The box `tkhd` of version 0 (ISO/IEC 14496-12, 8.3.2): its matrix is 40 bytes after its version.
    place = data.index(b"tkhd") + 4 + 40
    a, b, c, d = (value << 16 for value in matrix)
    data[place : place + 36] = struct.pack(">9i", a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def packets(path: Path) -> list[tuple[int, int, bool]]:
    """Place in the file and size [bytes] of each packet, and whether it is a keyframe."""
    with av.open(str(path)) as container:
        found = [packet for packet in container.demux(container.streams.video[0]) if packet.size]
        return [(packet.pos or 0, packet.size, packet.is_keyframe) for packet in found]


def damage(path: Path, numbers: Sequence[int]) -> None:
    """Overwrite most of some packets with zeros; their headers stay."""
    places = packets(path)
    data = bytearray(path.read_bytes())
    for number in numbers:
        start, size, _ = places[number]
        data[start + 8 : start + size] = bytes(size - 8)
    path.write_bytes(data)
