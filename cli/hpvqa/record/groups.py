"""Groups of pictures: what of an H.264 clip must be decoded to see some of its frames, and what need not.

A group begins with an instantaneous decoder refresh (IDR): nothing after it refers to anything before it. So the frames
after the last wanted one of a group need not be decoded.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.codeccontext import VideoCodecContext
from av.video.frame import VideoFrame
from av.video.stream import VideoStream
from numpy.typing import NDArray

_SLICE, _IDR = 1, 5
_BESIDES = {6, 9, 12}
"""Units that a decoder may miss: supplemental information, delimiters, filler."""


def read_by_groups(
    container: InputContainer,
    stream: VideoStream,
    wanted: frozenset[int],
    develop: Callable[[VideoFrame], NDArray[np.uint8]],
) -> dict[int, NDArray[np.uint8]] | None:
    """The wanted frames of a clip, decoding only what they need.

    Args:
        container: The clip, just opened.
        stream: Its video.
        wanted: Numbers of frames.
        develop: Turns a decoded frame into what is kept of it.

    Returns:
        The frames by number; None where they must be found by decoding all in order: the clip is not H.264 in MP4, its
        frames are stored in another order than they are shown in, it lacks frames or is irregular in another way.
    """
    context = stream.codec_context
    prefix = _length_prefix(context)
    if prefix is None or context.has_b_frames:
        return None
    decoder = _Decoder(context, wanted, develop)
    # Packets of the present group that no wanted frame has needed so far.
    waiting: list[tuple[int, Packet[VideoStream]]] = []
    before: int | None = None
    last = max(wanted)
    for number, packet in enumerate(container.demux(stream)):
        kind = _kind(packet, prefix)
        if kind is None or packet.pts is None or (before is not None and packet.pts <= before):
            return None
        if kind == _IDR:
            if not decoder.finish():
                return None
            waiting.clear()
        elif before is None:
            return None
        before = packet.pts
        waiting.append((number, packet))
        if number in wanted:
            if not all(decoder.send(*each) for each in waiting):
                return None
            waiting.clear()
        if number == last:
            return decoder.found if decoder.finish() else None
    return None


class _Decoder:
    """Decodes the beginnings of groups, and makes sure that each packet gives the frame that it should."""

    def __init__(
        self, context: VideoCodecContext, wanted: frozenset[int], develop: Callable[[VideoFrame], NDArray[np.uint8]]
    ) -> None:
        self.found: dict[int, NDArray[np.uint8]] = {}
        self._context, self._wanted, self._develop = context, wanted, develop
        self._due: dict[int, int] = {}
        """Numbers of the frames that have been sent and not been seen, by their time stamps."""
        self._used = False

    def send(self, number: int, packet: Packet[VideoStream]) -> bool:
        """Decode one packet; returns whether all went as it should."""
        assert packet.pts is not None  # noqa: S101 - for the type checker
        self._due[packet.pts] = number
        self._used = True
        return self._receive(self._context.decode(packet))

    def finish(self) -> bool:
        """Get the frames still inside, and forget the group; returns whether there was a frame for each packet."""
        if not self._used:
            return True
        self._used = False
        good = self._receive(self._context.decode(None)) and not self._due
        self._context.flush_buffers()
        return good

    def _receive(self, frames: list[VideoFrame]) -> bool:
        for frame in frames:
            number = None if frame.pts is None else self._due.pop(frame.pts, None)
            if number is None or frame.is_corrupt:
                return False
            if number in self._wanted:
                self.found[number] = self._develop(frame)
        return True


def _length_prefix(context: VideoCodecContext) -> int | None:
    """How many bytes tell the length of a unit; None for streams that are not H.264 as in an MP4 file.

    The header of such a stream begins with its version, 1; the prefix is in its fifth byte (ISO/IEC 14496-15, 5.3.3.1).
    """
    header = context.extradata
    if context.name != "h264" or header is None or len(header) < 7 or header[0] != 1:
        return None
    return (header[4] & 3) + 1


def _kind(packet: Packet[VideoStream], prefix: int) -> int | None:
    """Whether a packet is an IDR picture or another one; None where it might be neither, or change decoding itself.

    The type of a unit is in the lower five bits of its first byte (ITU-T H.264, 7.3.1 and table 7-1).
    """
    if packet.is_corrupt or packet.is_discard or packet.has_sidedata("new_extradata"):
        return None
    data = memoryview(packet)
    start = 0
    while start + prefix < len(data):
        kind = data[start + prefix] & 31
        if kind in (_SLICE, _IDR):
            return kind
        if kind not in _BESIDES:
            return None
        start += prefix + int.from_bytes(data[start : start + prefix], "big")
    return None
