"""Turning decoded frames into another size and format, in the calling thread alone, alike with every PyAV."""

from __future__ import annotations

from fractions import Fraction

from av.filter import Graph
from av.video.frame import VideoFrame
from av.video.reformatter import VideoReformatter

from hpvqa.record.opening import AV_MAJOR

THREADS_SINCE = 17
"""First version of PyAV whose reformatter can be told to use one thread, and takes all flags of libswscale."""


_TIME_BASE = Fraction(1, 1000)
"""Any will do: no filter looks at times."""


class Scaler:
    """Scales frames of one clip.

    Args:
        flags: Flags of libswscale (swscale.h).
    """

    def __init__(self, flags: int) -> None:
        self._flags = flags
        self._reformatter = VideoReformatter()
        self._graph: tuple[tuple[object, ...], Graph] | None = None

    def __call__(self, frame: VideoFrame, width: int, height: int, form: str) -> VideoFrame:
        """The frame in another size and format."""
        if AV_MAJOR >= THREADS_SINCE:
            return self._reformatter.reformat(frame, width, height, form, interpolation=self._flags, threads=1)
        return self._filtered(frame, width, height, form)

    def _filtered(self, frame: VideoFrame, width: int, height: int, form: str) -> VideoFrame:
        """The same by the filter `scale`, which older versions have, too."""
        key = (frame.width, frame.height, frame.format.name, width, height, form)
        if self._graph is None or self._graph[0] != key:
            self._graph = key, self._build(frame, width, height, form)
        graph = self._graph[1]
        graph.push(frame)
        scaled = graph.pull()
        assert isinstance(scaled, VideoFrame)  # noqa: S101 - for the type checker
        return scaled

    def _build(self, frame: VideoFrame, width: int, height: int, form: str) -> Graph:
        graph = Graph()
        # Chroma is sited at the left, as the reformatter has it where a clip does not say.
        scale = f"w={width}:h={height}:flags={self._flags}:threads=1:in_h_chr_pos=0:interl=-1"
        graph.link_nodes(
            graph.add_buffer(width=frame.width, height=frame.height, format=frame.format, time_base=_TIME_BASE),
            graph.add("scale", scale),
            graph.add("format", form),
            graph.add("buffersink"),
        ).configure()
        return graph
