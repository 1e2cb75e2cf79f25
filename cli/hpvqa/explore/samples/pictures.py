"""Pictures of samples, as files."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from hpvqa.explore.protocol import Shot

_QUALITY = 90
"""Every word for a look is still told from the pixels, and a picture takes a fifth of a PNG file's bytes."""


def jpeg(shot: Shot) -> tuple[str, bytes] | None:
    """A picture as a JPEG file with as much colour as light, and its SHA-256; None where there is none."""
    if not shot.image.size:
        return None
    buffer = io.BytesIO()
    Image.fromarray(shot.image).save(buffer, format="jpeg", quality=_QUALITY, subsampling=0)
    return hashlib.sha256(buffer.getvalue()).hexdigest(), buffer.getvalue()
