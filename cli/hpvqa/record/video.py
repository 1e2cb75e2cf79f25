"""Encoding clips while the simulation runs: one frame at a time, nothing kept."""

from __future__ import annotations

from pathlib import Path
from types import TracebackType

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

CRF = "18"
"""Constant quality: hardly distinguishable from the original."""
PRESET = "superfast"
"""Encoding costs less than a tenth of software rendering, and the encoder looks no frame ahead, which saves memory."""
KEYFRAME_SECONDS = 1
"""A decoder that wants one frame reads at most this much before it."""


class ClipWriter:
    """Writes one H.264 clip of constant frame rate.

    The encoder runs in one thread: its output depends on the number of threads, and must not depend on the machine.

    Args:
        path: The MP4 file to write.
        fps: Frame rate.
        width: Width [pixels], even.
        height: Height [pixels], even.
    """

    def __init__(self, path: Path, fps: int, width: int, height: int) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        stream = self._container.add_stream("libx264", rate=fps)
        assert isinstance(stream, VideoStream)  # noqa: S101 - for the type checker
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        stream.codec_context.gop_size = fps * KEYFRAME_SECONDS
        stream.options = {"crf": CRF, "preset": PRESET, "threads": "1", "bf": "0"}
        self._stream = stream
        self._count = 0

    def write(self, image: NDArray[np.uint8]) -> None:
        """Append one RGB frame, shape (height, width, 3), contiguous."""
        frame = av.VideoFrame.from_ndarray(image, format="rgb24")
        frame.pts = self._count
        self._count += 1
        self._container.mux(self._stream.encode(frame))

    def close(self) -> None:
        """Finish the file."""
        self._container.mux(self._stream.encode(None))
        self._container.close()

    def __enter__(self) -> ClipWriter:
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
