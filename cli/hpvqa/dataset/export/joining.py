"""Clips put one after the other into one MP4 file, packet by packet: nothing is decoded or encoded again."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from types import TracebackType

import av
from av.video.stream import VideoStream

from hpvqa.errors import RunError
from hpvqa.record.opening import opened


def coding(path: Path) -> bytes:
    """What a decoder must know before it sees the first picture; only clips that share it can be put into one file.

    Raises:
        RunError: The clip cannot be opened.
    """
    with opened(path) as (_, stream):
        return bytes(stream.codec_context.extradata or b"")


class JoinedClips:
    """Writes one MP4 file.

    Args:
        path: The file.
        fps: Frame rate of all clips [1/s].
    """

    def __init__(self, path: Path, fps: int) -> None:
        self._container = av.open(str(path), "w", format="mp4", options={"movflags": "+faststart"})
        self._fps = fps
        self._stream: VideoStream | None = None
        self.frames = 0

    def append(self, clip: Path, frames: int) -> None:
        """Add a clip behind those that are there.

        Args:
            clip: The clip.
            frames: How many frames it has.

        Raises:
            RunError: It has another number of frames, its frame rate is another, or it cannot be read.
        """
        found: set[int] = set()
        with opened(clip) as (container, stream):
            if self._stream is None:
                self._stream = self._container.add_stream_from_template(stream)
            for packet in container.demux(stream):
                if packet.pts is None or packet.dts is None or packet.time_base is None:
                    # What ends a stream holds no picture.
                    continue
                step = packet.time_base * self._fps
                if (packet.pts * step).denominator != 1 or (packet.dts * step).denominator != 1:
                    raise RunError(f"The clip {clip} is damaged: its frames are not {self._fps} a second")
                found.add(int(packet.pts * step))
                packet.pts = self.frames + int(packet.pts * step)
                packet.dts = self.frames + int(packet.dts * step)
                packet.duration = 1
                packet.time_base = Fraction(1, self._fps)
                packet.stream = self._stream
                self._container.mux(packet)
        if found != set(range(frames)):
            raise RunError(f"The clip {clip} is damaged: it holds {len(found)} frames instead of {frames}")
        self.frames += frames

    def __enter__(self) -> JoinedClips:
        """Return the writer."""
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Finish the file."""
        self._container.close()
