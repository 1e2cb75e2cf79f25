"""Names of versions and sizes, known without reading anything."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from hpvqa.errors import UsageError, nearest

HERE: Final = Path(__file__).parent
VERSIONS: Final = sorted((path.stem for path in HERE.glob("v*.yaml")), key=lambda name: int(name[1:]))
"""Versions of the suite, the oldest first."""
SIZES: Final = ("full", "quick")
"""How much of it can be run."""


def check_version(name: str) -> None:
    """Raise if there is no such version.

    Raises:
        UsageError: The message names the nearest one.
    """
    if name not in VERSIONS:
        raise UsageError(f"There is no version {name!r} of the suite; {nearest(name, VERSIONS)}")


def check_size(name: str) -> None:
    """Raise if there is no such size.

    Raises:
        UsageError: The message names the nearest one.
    """
    if name not in SIZES:
        raise UsageError(f"There is no size {name!r} of the suite; {nearest(name, SIZES)}")
