"""Encoding clips, and layers beside them, while the simulation runs: one frame at a time, nothing kept."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType
from typing import Any, Self

import av
from av.container import OutputContainer
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hpvqa.scene.layers import Layer

CRF = "18"
"""Constant quality: hardly distinguishable from the original."""
PRESET = "superfast"
"""Encoding costs less than a tenth of software rendering, and the encoder looks no frame ahead, which saves memory."""
KEYFRAME_SECONDS = 1
"""A decoder that wants one frame reads at most this much before it."""
PIXELS: dict[Layer, str] = {"depth": "gray16le", "segmentation": "gray"}
"""FFmpeg's name of what a pixel of a layer is."""


class FrameWriter:
    """Writes one file of video of constant frame rate.

    The encoder runs in one thread: its output depends on the number of threads, and must not depend on the machine.

    Args:
        container: The file, open for writing.
        codec: Name of the encoder.
        fps: Frame rate.
        size: Width and height [pixels].
        pixels: How frames are given, and how the encoder wants them.
        gop: How many frames apart those are that can be decoded alone.
        options: The encoder's.
    """

    def __init__(
        self,
        container: OutputContainer,
        codec: str,
        fps: int,
        size: tuple[int, int],
        pixels: tuple[str, str],
        gop: int,
        options: dict[str, str],
    ) -> None:
        self._container = container
        stream = container.add_stream(codec, rate=fps)
        assert isinstance(stream, VideoStream)  # noqa: S101 - for the type checker
        self._format, stream.pix_fmt = pixels
        stream.width, stream.height = size
        stream.codec_context.gop_size = gop
        stream.options = {**options, "threads": "1"}
        self._stream = stream
        self._count = 0

    def write(self, image: NDArray[Any]) -> None:
        """Append one frame, contiguous."""
        frame = av.VideoFrame.from_ndarray(image, format=self._format)
        frame.pts = self._count
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def __enter__(self) -> Self:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file; after an error, only let go of it."""
        if kind is None:
            self.close()
        else:
            self._container.close()


class ClipWriter(FrameWriter):
    """Writes one H.264 clip of RGB frames, shape (height, width, 3), 8 bits.

    Args:
        path: The MP4 file to write.
        fps: Frame rate.
        width: Width [pixels], even.
        height: Height [pixels], even.
    """

    def __init__(self, path: Path, fps: int, width: int, height: int) -> None:
        container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        options = {"crf": CRF, "preset": PRESET, "bf": "0"}
        gop = fps * KEYFRAME_SECONDS
        super().__init__(container, "libx264", fps, (width, height), ("rgb24", "yuv420p"), gop, options)


class LayerWriter(FrameWriter):
    """Writes one layer without loss: FFV1 (RFC 9043) in Matroska, each frame for itself.

    Args:
        path: The file to write.
        layer: Which one: depth has frames of 16 bits, a segmentation of 8, shape (height, width).
        fps: Frame rate.
        width: Width [pixels].
        height: Height [pixels].
    """

    def __init__(self, path: Path, layer: Layer, fps: int, width: int, height: int) -> None:
        # Else Matroska files bear random numbers.
        container = av.open(str(path), "w", format="matroska", options={"fflags": "+bitexact"})
        pixels = PIXELS[layer]
        options = {"level": "3", "slices": "4", "slicecrc": "1"}
        super().__init__(container, "ffv1", fps, (width, height), (pixels, pixels), 1, options)
