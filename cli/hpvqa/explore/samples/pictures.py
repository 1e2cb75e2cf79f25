"""Pictures of samples, as files."""

from __future__ import annotations

import hashlib
import io

from PIL import Image

from hpvqa.explore.protocol import Shot

_QUALITY = 95
"""Whoever learns from such pictures tells every word for a look in a run's own; with 90, not every surface."""


def jpeg(shot: Shot) -> tuple[str, bytes] | None:
    """A picture as a JPEG file with as much colour as light, and its SHA-256; None where there is none."""
    if not shot.image.size:
        return None
    buffer = io.BytesIO()
    Image.fromarray(shot.image).save(buffer, format="jpeg", quality=_QUALITY, subsampling=0, optimize=True)
    return hashlib.sha256(buffer.getvalue()).hexdigest(), buffer.getvalue()
