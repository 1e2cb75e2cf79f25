"""Finding the Python of Isaac Sim on this machine, and what is installed in it.

Looked for, in this order; the first that is there counts:

1. ``HPVQA_ISAAC``: a Python, ``isaaclab.sh`` or ``python.sh``, or a folder that contains one of them;
2. the Python that runs this, if Isaac Lab is installed in it (pip);
   without Isaac Sim (``--physics ovphysx``), then also the one that ``make isaac`` made in this checkout;
3. ``ISAACLAB_PATH``: a checkout of Isaac Lab, with ``isaaclab.sh``;
4. ``~/IsaacLab``, ``/workspace/isaaclab`` (its container);
5. ``ISAACSIM_PATH``: an installation of Isaac Sim, with ``python.sh``;
6. ``~/isaacsim``, ``/isaac-sim`` (its container).
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hpvqa
from hpvqa.errors import UsageError
from hpvqa.install import pip_install
from hpvqa.sim.isaac.compat import SUPPORTED, SUPPORTED_3, check_versions, check_versions_3

VARIABLE = "HPVQA_ISAAC"
"""Environment variable that names the installation."""
PROBE_TIME = 120.0
"""Wrapper scripts may take this long to start a Python [s]."""
_SCRIPTS = {"isaaclab.sh": ("-p",), "python.sh": ()}
"""Scripts that start the right Python, and what they are called with before its own arguments."""
_NEEDED = ("av", "click", "numpy", "pyarrow", "pydantic", "rich", "scipy", "yaml")
_NEEDED_3 = ("ovphysx", "ovstage", "mujoco_usd_converter")
_MADE = Path(hpvqa.__file__).parents[2] / ".venv-isaac/bin/python"
"""What ``make isaac`` makes."""
_PROBE = """
import sys
sys.path[:] = filter(None, sys.path)  # not the working folder, whose files would be run
import importlib.metadata, importlib.util, json
def version(name):
    try: return importlib.metadata.version(name)
    except importlib.metadata.PackageNotFoundError: return None
def there(name):
    try: return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError: return False
print(json.dumps({
    "python": sys.version_info[:2],
    "lab": version("isaaclab"),
    "has_lab": there("isaaclab") or there("omni.isaac.lab"),
    "hpvqa": version("hpvqa"),
    "missing": [name for name in sys.argv[1:] if not there(name)],
}))
"""


@dataclass(frozen=True)
class Installation:
    """A Python with Isaac Lab.

    Attributes:
        command: How to run it; its own arguments follow.
        rule: How it was found, in words.
    """

    command: tuple[str, ...]
    rule: str


def find(
    environ: Mapping[str, str],
    home: Path | None,
    root: Path = Path("/"),
    physics: str = "isaacsim",
    made: Path = _MADE,
) -> Installation:
    """Find the Python of Isaac Lab by the rules above. Nothing is started.

    Args:
        environ: The environment.
        home: The user's home folder, if there is one.
        root: The root of the file system.
        physics: Where it is to compute.
        made: The Python that ``make isaac`` makes.

    Raises:
        UsageError: There is none, or the one that is named is not there.
    """
    named = environ.get(VARIABLE)
    if named:
        return _named(Path(os.path.expanduser(named)))  # noqa: PTH111 - Path's own fails where there is no home
    if importlib.util.find_spec("isaaclab") is not None:
        return Installation((sys.executable,), "this Python has Isaac Lab")
    if physics == "ovphysx" and made.is_file():
        return Installation((str(made),), "make isaac")
    for variable, script, folders in (
        ("ISAACLAB_PATH", "isaaclab.sh", (home and home / "IsaacLab", root / "workspace/isaaclab")),
        ("ISAACSIM_PATH", "python.sh", (home and home / "isaacsim", root / "isaac-sim")),
    ):
        places = [(Path(environ[variable]), variable)] if environ.get(variable) else []
        for folder, rule in [*places, *((folder, str(folder)) for folder in folders if folder)]:
            if (folder / script).is_file():
                return Installation((str(folder / script), *_SCRIPTS[script]), rule)
    if physics == "ovphysx":
        raise UsageError(
            f"No Isaac Lab 3 was found; run `make isaac` in a checkout of hpvqa, or name a Python that has it with "
            f"{VARIABLE} (see docs/isaac-lab.md)"
        )
    raise UsageError(
        f"No Isaac Sim was found; install {SUPPORTED} and name its isaaclab.sh, python.sh or Python with {VARIABLE} "
        "(see docs/isaac-sim.md), or use --backend mujoco"
    )


def _named(path: Path) -> Installation:
    if path.is_dir():
        for script in _SCRIPTS:
            if (path / script).is_file():
                path = path / script
                break
        else:
            raise UsageError(f"{VARIABLE} names {path}, which contains neither isaaclab.sh nor python.sh")
    if not path.is_file():
        raise UsageError(f"{VARIABLE} names {path}, which is not there")
    return Installation((str(path), *_SCRIPTS.get(path.name, ())), VARIABLE)


def check(
    installation: Installation,
    physics: str = "isaacsim",
    run: Callable[..., subprocess.CompletedProcess[str]] = subprocess.run,
) -> None:
    """Ask a Python what it has.

    Args:
        installation: Where it is.
        physics: Where it is to compute.
        run: Runs a command.

    Raises:
        UsageError: It does not start, is of a version that is not supported, or lacks something; the message says what
            to run.
    """
    bare = physics == "ovphysx"
    command = [*installation.command, "-c", _PROBE, *_NEEDED, *(_NEEDED_3 if bare else ())]
    shown = " ".join(installation.command)
    try:
        done = run(command, capture_output=True, text=True, timeout=PROBE_TIME, stdin=subprocess.DEVNULL)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise UsageError(f"The Python of Isaac Sim ({shown}) does not start: {error}") from None
    answer = _last_json(done.stdout.splitlines())
    if done.returncode or answer is None:
        lines = [line for line in (done.stderr + done.stdout).splitlines() if line.strip()] or ["it says nothing"]
        raise UsageError(f"The Python of Isaac Sim ({shown}) does not start: {lines[-1].strip()}")
    (check_versions_3 if bare else check_versions)(answer["lab"], (answer["python"][0], answer["python"][1]))
    if not answer["has_lab"]:
        raise UsageError(f"The Python of {installation.rule} ({shown}) has no Isaac Lab; install {SUPPORTED} in it")
    beside = [name.replace("_", "-") for name in answer["missing"] if name in _NEEDED_3]
    if beside:
        raise UsageError(f"The Python of Isaac Lab ({shown}) lacks {', '.join(beside)}; use {SUPPORTED_3}")
    if answer["hpvqa"] is None or answer["missing"]:
        what = "hpvqa" if answer["hpvqa"] is None else ", ".join(answer["missing"])
        raise UsageError(f"The Python of Isaac Sim lacks {what}; run: {shown} -m {pip_install()}")
    if answer["hpvqa"] != hpvqa.__version__:
        raise UsageError(
            f"The Python of Isaac Sim has hpvqa {answer['hpvqa']}, this is {hpvqa.__version__}; "
            f"run: {shown} -m {pip_install()}"
        )


def _last_json(lines: Sequence[str]) -> dict[str, Any] | None:
    # Wrapper scripts print greetings.
    for line in reversed(lines):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    return None
