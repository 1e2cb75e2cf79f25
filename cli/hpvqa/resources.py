"""Where files are: recipes, rigs, prompts and schemas that come with the package, and what can be made again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from hpvqa.errors import UsageError, nearest
from hpvqa.files import read_yaml

_PACKAGE = Path(__file__).resolve().parent


def recipes_dir() -> Path:
    """The folder of recipes: inside the package when installed from a wheel, at the top of a checkout otherwise."""
    packaged = _PACKAGE / "recipes"
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / "recipes"


def extensions_dir() -> Path:
    """The folder of extensions for Isaac Sim, such as its ``--ext-folder`` takes."""
    packaged = _PACKAGE / "exts"
    return packaged if packaged.is_dir() else _PACKAGE.parents[1] / "exts"


def schemas_dir() -> Path:
    """The folder of JSON schemas."""
    return _PACKAGE / "schemas"


def default_cache(environ: Mapping[str, str]) -> Path:
    """The folder for files that can be fetched or worked out again: ``HPVQA_CACHE``, or the user's cache folder.

    Raises:
        UsageError: There is neither.
    """
    if environ.get("HPVQA_CACHE"):
        return Path(environ["HPVQA_CACHE"])
    base = Path(environ.get("XDG_CACHE_HOME", ""))
    # The XDG specification says to ignore a relative path.
    if not base.is_absolute():
        try:
            base = Path.home() / ".cache"
        except RuntimeError:
            raise UsageError("There is no home folder for downloads and caches; name one in HPVQA_CACHE") from None
    return base / "hpvqa"


def read_named(what: str, kind: str, name: str, folder: Path, known: Sequence[str]) -> tuple[Any, str]:
    """The plain data of a YAML file that comes with the package, or of a user's own.

    Args:
        what: What it holds, for an unknown name, such as ``camera rig``.
        kind: The same in short, for its file, such as ``rig``.
        name: Name of a shipped file, or path of another one, which ends in .yaml or .yml.
        folder: Where the shipped ones are.
        known: Their names.

    Returns:
        The data, and what to call them in an error.

    Raises:
        UsageError: There is no such file, or it cannot be read.
    """
    path = Path(name)
    if path.suffix not in {".yaml", ".yml"}:
        if name not in known and (path.exists() or len(path.parts) > 1):
            raise UsageError(f"{name} is not a YAML file: give a {kind} whose name ends in .yaml or .yml")
        if name not in known:
            raise UsageError(f"There is no {what} {name!r}; {nearest(name, known)} (or give a YAML file)")
        path = folder / f"{name}.yaml"
    try:
        return read_yaml(path), f"The {kind} file {path}"
    except FileNotFoundError:
        raise UsageError(f"There is no {kind} file {path}") from None
    except OSError as error:
        raise UsageError(f"The {kind} file {path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"The {kind} file {path} cannot be read: {error}") from None
