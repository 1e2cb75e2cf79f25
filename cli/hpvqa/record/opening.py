"""Opening clips that anybody may have made: one regular file, a known container, pictures of a sane size."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import av
from av.container import InputContainer
from av.video.stream import VideoStream

from hpvqa.errors import RunError
from hpvqa.files import open_regular

AV_MAJOR = int(av.__version__.split(".")[0])
"""Major version of PyAV, whose interface changes with it."""
MOST_PIXELS = 4096 * 4096
"""Most pixels of a picture that is decoded; as many as can be recorded. Small files can hold pictures of gigabytes."""

_CONTAINERS = "mov,matroska,webm,avi,mpegts,mpeg,flv,ogg,asf,gif,h264,hevc,ivf"
"""Files of other kinds, such as playlists, can name further files and addresses, which a decoder would open."""
_OPTIONS = {"format_whitelist": _CONTAINERS}
# From 19 on, PyAV itself replaces bytes of metadata that are not UTF-8.
_TOLERANT: dict[str, Any] = {"metadata_errors": "replace"} if AV_MAJOR < 19 else {}


@contextmanager
def opened(path: Path) -> Iterator[tuple[InputContainer, VideoStream]]:
    """A clip to decode in the calling thread: clips are decoded side by side, not parts of one.

    Raises:
        RunError: It cannot be opened or decoded, also while the block runs.
    """
    try:
        # A pipe would be waited for, and a device may never end.
        with open_regular(path):
            pass
        # What begins with a slash is no address.
        with av.open(str(path.absolute()), options=_OPTIONS, **_TOLERANT) as container:
            stream = container.streams.video[0]
            context = stream.codec_context
            if context is None:
                raise RunError(f"The clip {path} cannot be decoded: its format is not known")
            if context.width * context.height > MOST_PIXELS:
                raise RunError(
                    f"The clip {path} has pictures of {context.width}x{context.height}; make them smaller, for none of "
                    f"more than {MOST_PIXELS >> 20} million pixels is decoded"
                )
            context.thread_count = 1
            # Pictures can become larger on the way.
            context.options = {"max_pixels": str(MOST_PIXELS)}
            yield container, stream
    except IndexError:
        raise RunError(f"The clip {path} cannot be decoded: it holds no video") from None
    except (av.error.FFmpegError, OSError) as error:
        raise RunError(f"The clip {path} cannot be decoded: {error.strerror or error}") from None
