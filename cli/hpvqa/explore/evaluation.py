"""The scenes that agents are compared on: the same for everybody, told by a digest."""

from __future__ import annotations

import hashlib
from pathlib import Path

from hpvqa.errors import RunError
from hpvqa.explore.folder import Worlds
from hpvqa.explore.scene import HIDING, find_scenes, read_scene

EVALUATION = Worlds(seed=600, families=HIDING, scenes=600)
"""200 of them are of types that are kept for evaluation."""
DIGEST = "b5272cbc172b176184efe28b219fc750a56889e654c894d3a8b064606e36925f"
"""SHA-256 of the checksums of all its scenes, one a line, by family and number."""


def digest(folder: Path) -> str:
    """The digest of all scenes in a folder.

    Raises:
        UsageError: A scene is damaged.
        RunError: One cannot be read.
    """
    lines = "".join(f"{read_scene(path).checksum}\n" for path in find_scenes(folder))
    return hashlib.sha256(lines.encode()).hexdigest()


def check(folder: Path, expected: str = DIGEST) -> None:
    """Check that a folder holds the evaluation set, bit for bit.

    Raises:
        UsageError: A scene is damaged.
        RunError: It holds other scenes, or one cannot be read.
    """
    found = digest(folder)
    if found != expected:
        raise RunError(
            f"{folder} does not hold the evaluation set: the digest of its scenes is {found[:12]}… and not "
            f"{expected[:12]}…; it was drawn by another version or renderer, and figures on it compare with no others"
        )
