"""From a query to what is sent: messages, and how the server shall treat the frames in them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from hpvqa.errors import UsageError
from hpvqa.vlm.backends.openai.encode import data_uri, in_base64, mp4, png
from hpvqa.vlm.backends.vllm_settings import PROCESSOR
from hpvqa.vlm.families import Family
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import Transport
from hpvqa.vlm.processing import filled_up, video_metadata
from hpvqa.vlm.protocol import Query

Part = dict[str, Any]


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
        told: Whether the server, a vLLM one, is told in each request to keep all frames.
        times: Whether frames can be sent with their times, which needs ``told``.
        template: Options of the chat template; empty where the server does not take any.
        put: With the transport ``file``: writes a video and returns its address.
    """

    transport: Transport
    family: Family | None = None
    told: bool = False
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

    def _videos(self, videos: Sequence[Frames], fields: dict[str, Any]) -> tuple[list[Part], list[int]]:
        if self.told:
            # A model whose family is not known may have to resize.
            names = PROCESSOR if self.family is not None else ("do_sample_frames",)
            fields["mm_processor_kwargs"] = {name: PROCESSOR[name] for name in names}
        if self.family is not None and self.times and self.transport == "clip" and _alike(videos):
            filled = [filled_up(self.family, frames) for frames in videos]
            # A request has one set of times for all its videos.
            total = max(filled[0].total, len(filled[0].indices))
            times = {**video_metadata(filled[0]), "total_num_frames": total}
            fields["media_io_kwargs"] = {"video": {**times, "num_frames": -1}}
            return [_video(_sequence(frames)) for frames in filled], [len(frames.indices) for frames in filled]
        rates = [frames.rate for frames in videos if frames.rate is not None]
        told_when = self.family is not None and self.family.timestamps
        # A video begins at 0 s, wherever in the clip its first frame was.
        uneven, later = len(rates) < len(videos), told_when and any(frames.indices[0] for frames in videos)
        if uneven or later:
            ways = "clip or images" if self.times and self.transport == "file" else "images"
            what = "are not evenly spaced" if uneven else "begin within the clip"
            raise UsageError(f"The frames {what}, and a video would lose their times; use --transport {ways}")
        if self.told:
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


def _video(url: str) -> Part:
    return {"type": "video_url", "video_url": {"url": url}}


def _sequence(frames: Frames) -> str:
    """Frames that stay apart, for vLLM. It calls them JPEG; what they are, it sees itself, and PNG loses nothing."""
    return "data:video/jpeg;base64," + ",".join(in_base64(png(image)) for image in frames.images)


def _pictures(videos: Sequence[Frames]) -> list[Part]:
    """One picture a frame, each after the words that say when it was seen."""
    parts: list[Part] = []
    for number, frames in enumerate(videos, start=1):
        of = f"Video {number}, " if len(videos) > 1 else ""
        for image, seconds in zip(frames.images, frames.times, strict=True):
            parts.append({"type": "text", "text": f"{of}{seconds:.2f} s:"})
            parts.append({"type": "image_url", "image_url": {"url": data_uri("image/png", png(image))}})
    return parts
