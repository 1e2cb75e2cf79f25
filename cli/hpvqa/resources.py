"""Where the files that come with the package are: recipes, camera rigs and JSON schemas."""

from __future__ import annotations

from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent


def recipes_dir() -> Path:
    """The folder of recipes: inside the package when installed from a wheel, at the top of a checkout otherwise."""
    packaged = _PACKAGE / "recipes"
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / "recipes"


def schemas_dir() -> Path:
    """The folder of JSON schemas."""
    return _PACKAGE / "schemas"
