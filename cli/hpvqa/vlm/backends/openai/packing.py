"""From a query to what is sent: frames as bytes, without loss, in messages or files, and how they are to be treated."""

from __future__ import annotations

import base64
import hashlib
import io
import shutil
import tempfile
import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from av.video.stream import VideoStream
from numpy.typing import NDArray

from hpvqa.errors import RunError, UsageError
from hpvqa.vlm.backends.vllm_settings import PROCESSOR
from hpvqa.vlm.families import Family
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import Transport
from hpvqa.vlm.processing import filled_up, video_metadata
from hpvqa.vlm.protocol import Query

ContentPart = dict[str, Any]
_FINEST = 10_000
"""Frame rates are fractions with at most this denominator: exact to a microsecond over any clip."""


@dataclass(frozen=True)
class Sent:
    """A query on its way.

    Attributes:
        messages: The conversation.
        fields: What else the request says about it.
        frames: How many frames each of its videos has.
    """

    messages: list[dict[str, Any]]
    fields: dict[str, Any] = field(default_factory=dict)
    frames: tuple[int, ...] = ()


@dataclass(frozen=True)
class Packing:
    """How queries are sent.

    Attributes:
        transport: How frames travel.
        family: The model's family, if it is known.
        keep_frames: Whether the server, a vLLM one, is told in each request to keep all frames.
        times: Whether frames can be sent with their times, which needs ``keep_frames``.
        template: Options of the chat template; empty where the server does not take any.
        put: With the transport ``file``: writes a video and returns its address.
    """

    transport: Transport
    family: Family | None = None
    keep_frames: bool = False
    times: bool = False
    template: dict[str, Any] = field(default_factory=dict)
    put: Callable[[bytes], str] | None = None

    def pack(self, query: Query) -> Sent:
        """Encode a query.

        Raises:
            UsageError: Its frames cannot be sent in this way.
        """
        fields: dict[str, Any] = {"chat_template_kwargs": self.template} if self.template else {}
        counts: list[int] = []
        if self.transport == "images" or not query.videos:
            parts = _pictures(query.videos)
        else:
            for frames in query.videos:
                self._check(frames)
            parts, counts = self._videos(query.videos, fields)
        user = {"role": "user", "content": [*parts, {"type": "text", "text": query.text}]}
        system = [{"role": "system", "content": query.system}] if query.system else []
        return Sent([*system, user], fields, tuple(counts))

    def _videos(self, videos: Sequence[Frames], fields: dict[str, Any]) -> tuple[list[ContentPart], list[int]]:
        if self.keep_frames:
            # A model whose family is not known may have to resize.
            names = PROCESSOR if self.family is not None else ("do_sample_frames",)
            fields["mm_processor_kwargs"] = {name: PROCESSOR[name] for name in names}
        if self.family is not None and self.times and self.transport == "clip" and _alike(videos):
            filled = [filled_up(self.family, frames) for frames in videos]
            # A request has one set of times for all its videos.
            times = video_metadata(filled[0], self.family)
            times["total_num_frames"] = max(times["total_num_frames"], len(filled[0].indices))
            fields["media_io_kwargs"] = {"video": {**times, "num_frames": -1}}
            return [_video(_sequence(frames)) for frames in filled], [len(frames.indices) for frames in filled]
        rates = [frames.rate for frames in videos if frames.rate is not None]
        timed = self.family is not None and self.family.timestamps
        # A video begins at 0 s, wherever in the clip its first frame was.
        uneven, later = len(rates) < len(videos), timed and any(frames.indices[0] for frames in videos)
        if uneven or later:
            ways = "clip or images" if self.times and self.transport == "file" else "images"
            what = "are not evenly spaced" if uneven else "begin within the clip"
            raise UsageError(f"The frames {what}, and a video would lose their times; use --transport {ways}")
        if self.keep_frames:
            # Every frame, where a model's own way of reading would take two a second.
            fields["media_io_kwargs"] = {"video": {"video_backend": "opencv", "num_frames": -1, "fps": -1}}
        # A video of a single frame is empty to some decoders, so that frame is there twice.
        encoded = [frames.images if len(frames.images) > 1 else frames.images.repeat(2, axis=0) for frames in videos]
        parts = [_video(self._address(mp4(images, rate))) for images, rate in zip(encoded, rates, strict=True)]
        return parts, [len(images) for images in encoded]

    def _address(self, data: bytes) -> str:
        return data_uri("video/mp4", data) if self.put is None else self.put(data)

    def _check(self, frames: Frames) -> None:
        """Make sure that the model sees the frames as they are, and when they were.

        Raises:
            UsageError: It would see others.
        """
        family = self.family
        if frames.rate is None and (family is None or not family.timestamps):
            raise UsageError(
                "The frames are not evenly spaced, and the server may not pass their times on to the model; use "
                "--transport images, or the sampler uniform or dense"
            )
        if family is not None:
            height, width = frames.images.shape[1:3]
            family.check_size(width, height)


def _alike(videos: Sequence[Frames]) -> bool:
    return len({(frames.indices, frames.fps, frames.total) for frames in videos}) == 1


def _video(url: str) -> ContentPart:
    return {"type": "video_url", "video_url": {"url": url}}


def _sequence(frames: Frames) -> str:
    """Frames that stay apart, for vLLM. It calls them JPEG; what they are, it sees itself, and PNG loses nothing."""
    return "data:video/jpeg;base64," + ",".join(in_base64(png(image)) for image in frames.images)


def _pictures(videos: Sequence[Frames]) -> list[ContentPart]:
    """One picture a frame, each after the words that say when it was seen."""
    parts: list[ContentPart] = []
    for number, frames in enumerate(videos, start=1):
        of = f"Video {number}, " if len(videos) > 1 else ""
        for image, seconds in zip(frames.images, frames.times, strict=True):
            parts.append({"type": "text", "text": f"{of}{seconds:.2f} s:"})
            parts.append({"type": "image_url", "image_url": {"url": data_uri("image/png", png(image))}})
    return parts


def data_uri(kind: str, data: bytes) -> str:
    """Bytes as an address that contains them.

    Args:
        kind: Media type.
        data: The bytes.
    """
    return f"data:{kind};base64,{in_base64(data)}"


def in_base64(data: bytes) -> str:
    """Bytes as text."""
    return base64.b64encode(data).decode("ascii")


def png(image: NDArray[np.uint8]) -> bytes:
    """One frame, shape (height, width, 3); the fastest compression, since it travels once."""
    from PIL import Image

    buffer = io.BytesIO()
    Image.fromarray(image).save(buffer, "PNG", compress_level=1)
    return buffer.getvalue()


def mp4(images: NDArray[np.uint8], rate: float) -> bytes:
    """Frames as an H.264 video, from which FFmpeg gets exactly the same pixels.

    They stay RGB: even an exact YUV video is off by up to two steps in each colour once it is RGB again.

    Args:
        images: The frames, shape (n, height, width, 3).
        rate: Their rate [1/s].
    """
    buffer = io.BytesIO()
    with av.open(buffer, "w", format="mp4") as container:
        stream = container.add_stream("libx264rgb", rate=Fraction(rate).limit_denominator(_FINEST))
        assert isinstance(stream, VideoStream)  # noqa: S101 - for the type checker
        stream.height, stream.width = images.shape[1:3]
        stream.pix_fmt = "rgb24"
        stream.options = {"qp": "0", "preset": "ultrafast", "threads": "1"}
        for number, image in enumerate(images):
            frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(image), format="rgb24")
            frame.pts = number
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    return buffer.getvalue()


class MediaFolder:
    """A folder of its own in one that the server may read; it disappears with all that is in it.

    Args:
        parent: The folder that the server may read.

    Raises:
        RunError: Nothing can be written there.
    """

    def __init__(self, parent: Path) -> None:
        self._lock = threading.Lock()
        try:
            self._folder = Path(tempfile.mkdtemp(prefix="hpvqa-", dir=parent.resolve()))
            # The server may run as someone else.
            self._folder.chmod(0o755)
        except OSError as error:
            raise RunError(f"{parent} cannot be written: {error.strerror or error}") from None

    def put(self, data: bytes) -> str:
        """Write a video, named by its content, unless it is there.

        Returns:
            Its address.

        Raises:
            RunError: The disk does not take it.
        """
        path = self._folder / f"{hashlib.sha256(data).hexdigest()[:32]}.mp4"
        with self._lock:
            if not path.exists():
                try:
                    path.write_bytes(data)
                except OSError as error:
                    path.unlink(missing_ok=True)
                    raise RunError(f"{path} cannot be written: {error.strerror or error}") from None
        return path.as_uri()

    def clear(self) -> None:
        """Delete all videos that are still there."""
        for path in self._folder.glob("*"):
            path.unlink(missing_ok=True)

    def close(self) -> None:
        """Delete the folder."""
        shutil.rmtree(self._folder, ignore_errors=True)
