"""Where the ``hpvqa`` command is, and an environment for it that Kit has not shaped."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

from hpvqa_collector.errors import BadInputError

_KIT_VARIABLES = ("PYTHONPATH", "PYTHONHOME", "PYTHONEXECUTABLE", "EXP_PATH", "ISAAC_PATH", "LD_PRELOAD")
_KIT_PREFIXES = ("CARB_",)
_KIT_ROOTS = ("CARB_APP_PATH", "ISAAC_PATH", "EXP_PATH")


def find_command(named: str, extension: Path, which: Callable[[str], str | None] = shutil.which) -> list[str]:
    """The command line of ``hpvqa``.

    It is the named one, else that of the checkout or of the environment that the extension lies in, else that of the
    Python that runs the panel, which may be Kit's own, else the one on PATH.

    Args:
        named: What the user named; may be empty.
        extension: The folder of the extension.
        which: Finds a program on PATH.

    Raises:
        BadInputError: There is none; the message says what to do.
    """
    if named.strip():
        words = shlex.split(named)
        program = which(words[0])
        if program is None:
            raise BadInputError(f"There is no program {words[0]!r}; correct the hpvqa command under Output")
        return [program, *words[1:]]
    around = extension.resolve().parents
    # In a checkout, exts/ is beside .venv; in an environment, it is in lib/python3.N/site-packages/hpvqa.
    folders = [around[1] / ".venv", *around[5:6], Path(sys.prefix)]
    for candidate in (*(str(folder / "bin" / "hpvqa") for folder in folders), "hpvqa"):
        if (found := which(candidate)) is not None:
            return [found]
    raise BadInputError(
        "The hpvqa command was not found; run make demo in the checkout of hpvqa, or name the command under Output"
    )


def clean_environment(environ: Mapping[str, str]) -> dict[str, str]:
    """The environment without what belongs to Kit's own Python: a child has another one.

    Where this Isaac Sim is installed is passed on, as the place where `hpvqa` looks for one.
    """
    roots = [environ[name] for name in _KIT_ROOTS if environ.get(name)]
    kept = {
        name: value
        for name, value in environ.items()
        if name not in _KIT_VARIABLES and not name.startswith(_KIT_PREFIXES)
    }
    if "LD_LIBRARY_PATH" in kept:
        folders = [folder for folder in kept["LD_LIBRARY_PATH"].split(":") if folder and not _inside(folder, roots)]
        kept["LD_LIBRARY_PATH"] = ":".join(folders)
    if environ.get("ISAAC_PATH"):
        kept.setdefault("ISAACSIM_PATH", environ["ISAAC_PATH"])
    return {**kept, "PYTHONUNBUFFERED": "1"}


def _inside(folder: str, roots: list[str]) -> bool:
    return any(folder == root or folder.startswith(root.rstrip("/") + "/") for root in roots)
