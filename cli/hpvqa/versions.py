"""Which versions made a file."""

from __future__ import annotations

from collections.abc import Iterable
from importlib.metadata import PackageNotFoundError, version

from hpvqa import __version__


def versions_of(packages: Iterable[str]) -> dict[str, str]:
    """Versions of this package and of those of the others that are installed.

    Args:
        packages: Names of distributions.
    """
    found = {"hpvqa": __version__}
    for package in packages:
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found
