"""What a clip's header says about it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av

from hpvqa.errors import RunError


@dataclass(frozen=True)
class ClipFormat:
    """Format of a clip.

    Attributes:
        fps: Frame rate [1/s].
        frames: Number of frames.
        width: [pixels]
        height: [pixels]
    """

    fps: float
    frames: int
    width: int
    height: int


def probe(path: Path) -> ClipFormat:
    """Read a clip's header; no frame is decoded.

    Raises:
        RunError: The clip is missing or damaged.
    """
    try:
        with av.open(str(path), metadata_errors="replace") as container:
            stream = container.streams.video[0]
            if not stream.average_rate or not stream.frames:
                raise RunError(f"The clip {path} is damaged: it holds no frames")
            return ClipFormat(float(stream.average_rate), stream.frames, stream.width, stream.height)
    except FileNotFoundError:
        raise RunError(f"The clip {path} is missing") from None
    except (av.error.FFmpegError, IndexError):
        raise RunError(f"The clip {path} is damaged: it cannot be read as a video") from None
