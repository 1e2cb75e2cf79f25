"""Cutting a clip out of a longer video: packet by packet where a key frame allows it, else by encoding it again."""

from __future__ import annotations

from collections.abc import Iterator
from fractions import Fraction
from itertools import chain, islice
from pathlib import Path

import av
import numpy as np
from av.container import InputContainer
from av.packet import Packet
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hpvqa.record.decode import changing_size, iter_frames, too_short
from hpvqa.record.opening import opened
from hpvqa.record.video import ClipWriter

_OFF = 0.25
"""No packet may be farther than this from the place of its frame [frames]."""


def cut(video: Path, target: Path, first: int, count: int, fps: int) -> bool:
    """Write some frames of a video into an MP4 file of its own, which begins at time 0.

    Args:
        video: The video, of constant frame rate.
        target: The new file.
        first: Number of the first frame, from 0.
        count: How many.
        fps: Frame rate of the video [1/s].

    Returns:
        Whether they were copied; else they were decoded and encoded again, which changes pixels a little.

    Raises:
        RunError: The video cannot be read, or has not so many frames.
    """
    with opened(video) as (container, stream):
        packets = _alone(container, stream, first, count, fps)
        if packets is not None:
            _mux(target, stream, packets)
            return True
    _encode(video, target, first, count, fps)
    return False


def _alone(
    container: InputContainer, stream: VideoStream, first: int, count: int, fps: int
) -> list[Packet[VideoStream]] | None:
    """The packets of these frames, if they can be decoded without others; None if they cannot.

    They can if they follow a key frame in the order of decoding with no other frame's packet among them: what a packet
    refers to comes before it, and not before the key frame unless it is shown before that.
    """
    found: list[Packet[VideoStream]] = []
    numbers: set[int] = set()
    for number, packet in _numbered(container, stream, first, fps):
        if number is None:
            return None
        inside = first <= number < first + count
        if not found and not (number == first and packet.is_keyframe):
            if inside:
                return None
            continue
        if not inside or number in numbers:
            return None
        found.append(packet)
        numbers.add(number)
        if len(found) == count:
            return found
    return None


def _numbered(
    container: InputContainer, stream: VideoStream, first: int, fps: int
) -> Iterator[tuple[int | None, Packet[VideoStream]]]:
    """Packets with the numbers of their frames, from some key frame before the first one on."""
    base = stream.time_base
    if base is None:
        return
    if first:
        container.seek(int(Fraction(first, fps) / base), stream=stream)
    for packet in container.demux(stream):
        if packet.pts is None or packet.dts is None:
            # What ends a stream holds no picture.
            continue
        place = float(packet.pts * base * fps)
        yield (round(place) if abs(place - round(place)) <= _OFF else None), packet


def _mux(target: Path, stream: VideoStream, packets: list[Packet[VideoStream]]) -> None:
    start = packets[0].pts
    assert start is not None  # noqa: S101 - such packets were left out
    with av.open(str(target), "w", format="mp4", options={"movflags": "+faststart"}) as container:
        # Else an encoder of the name of the decoder is looked for, and there is none for AV1.
        copied = container.add_stream_from_template(stream, opaque=True)
        for packet in packets:
            assert packet.pts is not None and packet.dts is not None  # noqa: S101, PT018 - as above
            packet.pts, packet.dts = packet.pts - start, packet.dts - start
            packet.stream = copied
            container.mux(packet)


def _encode(video: Path, target: Path, first: int, count: int, fps: int) -> None:
    images = _between(video, first, first + count)
    begin = next(images)
    height, width = (2 * (side // 2) for side in begin.shape[:2])
    with ClipWriter(target, fps, width, height) as clip:
        for image in chain([begin], images):
            if image.shape != begin.shape:
                raise changing_size(video)
            clip.write(np.ascontiguousarray(image[:height, :width]))


def _between(video: Path, first: int, end: int) -> Iterator[NDArray[np.uint8]]:
    """Frames by number in one pass, for a file may hold many episodes; at least one.

    Raises:
        RunError: The video cannot be decoded, or has not so many frames.
    """
    count = 0
    for count, image in enumerate(islice(iter_frames(video), end), start=1):
        if count > first:
            yield image
    if count < end:
        raise too_short(video, max(first, count), count)
