"""Pictures and clips inside the page, as data."""

from __future__ import annotations

import base64
import io
import os
from pathlib import Path
from urllib.parse import quote

import numpy as np
from PIL import Image

from hpvqa.errors import HpvqaError
from hpvqa.record.decode import read_frames

_HEIGHT = 160
"""Height of a thumbnail [pixels]."""
_QUALITY = 72


def filmstrip(clip: Path, frames: int) -> str | None:
    """The first, the middle and the last frame of a clip side by side, as a data URI; None if it cannot be decoded.

    Args:
        clip: The video.
        frames: How many frames it has.
    """
    try:
        images = read_frames(clip, [0, frames // 2, frames - 1])
    except HpvqaError:
        return None
    height, width = images.shape[1:3]
    size = (max(1, round(_HEIGHT * width / height)), _HEIGHT)
    thumbs = [Image.fromarray(np.ascontiguousarray(image)).resize(size, Image.Resampling.LANCZOS) for image in images]
    strip = Image.new("RGB", (size[0] * len(thumbs), size[1]))
    for number, thumb in enumerate(thumbs):
        strip.paste(thumb, (number * size[0], 0))
    buffer = io.BytesIO()
    strip.save(buffer, "JPEG", quality=_QUALITY, optimize=True)
    return _data_uri("image/jpeg", buffer.getvalue())


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
        self._strips: dict[Path, str | None] = {}

    def strip(self, clip: Path, frames: int) -> str | None:
        """The film strip of a clip, decoded once however many runs failed at it."""
        if clip not in self._strips:
            self._strips[clip] = filmstrip(clip, frames)
        return self._strips[clip]

    def player(self, clip: Path) -> str:
        """A player, or a link to the file, or one to the player that is in the page already."""
        if clip in self._anchors:
            return f'<p class="clip"><a href="#{self._anchors[clip]}">Clip, further up</a></p>'
        try:
            size = clip.stat().st_size
            if size <= self._left:
                data = clip.read_bytes()
                self._left -= len(data)
                anchor = self._anchors[clip] = f"clip-{len(self._anchors) + 1}"
                # The anchor is inside: whoever follows a link to it finds it opened.
                return (
                    f'<details class="clip"><summary>Clip</summary><video id="{anchor}" controls muted loop '
                    f'playsinline preload="none" src="{_data_uri("video/mp4", data)}"></video></details>'
                )
        except OSError:
            return ""
        link = quote(Path(os.path.relpath(clip.resolve(), self._page)).as_posix())
        return f'<p class="clip"><a href="{link}">Clip (a file beside this page)</a></p>'


def _data_uri(kind: str, data: bytes) -> str:
    return f"data:{kind};base64,{base64.b64encode(data).decode()}"
