"""Pictures and clips inside the page, as data."""

from __future__ import annotations

import base64
import io
import os
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from hpvqa.dataset.rows import Row
from hpvqa.errors import HpvqaError
from hpvqa.files import read_bytes
from hpvqa.record.decode import read_frames
from hpvqa.record.episode import read_episode
from hpvqa.record.moments import frame_at, outcome_moments
from hpvqa.record.opening import opened

_HEIGHT = 160
"""Height of a thumbnail [pixels]."""
_QUALITY = 72
_MOST_PIXELS = 4096 * 2304
"""Of a frame that is decoded; a small file may hold frames that fill the memory."""
_MOST_DECODED = 2_000_000_000
"""Pixels of all frames of a clip that is decoded: seconds of time."""


@dataclass(frozen=True)
class Strip:
    """Pictures of a clip, side by side.

    Attributes:
        uri: The pictures, as a data URI; empty if there are none.
        words: What they show, or why there are none.
    """

    uri: str
    words: str


def filmstrip(clip: Path, row: Row) -> Strip:
    """How it began and what became of each object, where the episode's events are known, else start, middle and end.

    Args:
        clip: The video.
        row: What the data set says of it.
    """
    try:
        with opened(clip) as (_, stream):
            pixels = stream.width * stream.height
        if pixels > _MOST_PIXELS or pixels * row.frames > _MOST_DECODED:
            return Strip("", "the clip is too large to be shown")
        moments = _moments(clip, row.frames)
        # Not what the stream says: the picture may be turned.
        size = (max(1, min(round(_HEIGHT * row.width / row.height), 4 * _HEIGHT)), _HEIGHT)
        images = read_frames(clip, list(moments.values()), size)
    except HpvqaError:
        return Strip("", "the clip cannot be read")
    strip = Image.new("RGB", (size[0] * len(images), size[1]))
    for number, image in enumerate(images):
        strip.paste(Image.fromarray(np.ascontiguousarray(image)), (number * size[0], 0))
    buffer = io.BytesIO()
    strip.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return Strip(_data_uri("image/jpeg", buffer.getvalue()), " · ".join(moments))


def _moments(clip: Path, frames: int) -> dict[str, int]:
    """Numbers of frames by what happens in them."""
    try:
        record = read_episode(clip.parent)
        found = {moment.label: frame_at(record, moment.time) for moment in outcome_moments(record)}
    except (HpvqaError, ValueError):
        found = {}
    if not found or max(found.values()) >= frames:
        found = {"start": 0, "middle": frames // 2, "end": frames - 1}
    return found


class Clips:
    """Pictures of clips, and the clips: the page carries them along up to a size, and links to the others.

    Args:
        page: The folder of the page, for links.
        budget: Most bytes of video in the page.
    """

    def __init__(self, page: Path, budget: int) -> None:
        self._page = page.resolve()
        self._left = budget
        self._anchors: dict[Path, str] = {}
        self._strips: dict[Path, Strip] = {}
        self.linked = 0
        """How many clips are links."""

    @property
    def inside(self) -> int:
        """How many clips the page holds."""
        return len(self._anchors)

    def strip(self, clip: Path, row: Row) -> Strip:
        """The film strip of a clip, decoded once however many runs failed at it."""
        if clip not in self._strips:
            self._strips[clip] = filmstrip(clip, row)
        return self._strips[clip]

    def player(self, clip: Path) -> str:
        """A player, or a link to the file, or one to the player that is in the page already."""
        if clip in self._anchors:
            return f'<p class="clip"><a href="#{self._anchors[clip]}">Clip, further up</a></p>'
        try:
            size = clip.stat().st_size
            if size <= self._left:
                data = read_bytes(clip, self._left)
                self._left -= len(data)
                anchor = self._anchors[clip] = f"clip-{len(self._anchors) + 1}"
                # The anchor is inside: whoever follows a link to it finds it opened.
                return (
                    f'<details class="clip"><summary>Clip</summary><video id="{anchor}" controls muted loop '
                    f'playsinline preload="none" src="{_data_uri("video/mp4", data)}"></video></details>'
                )
        except OSError:
            return ""
        self.linked += 1
        link = quote(Path(os.path.relpath(clip.resolve(), self._page)).as_posix())
        return f'<p class="clip"><a href="{link}">Clip, in its data set</a></p>'


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
