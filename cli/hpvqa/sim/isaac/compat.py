"""What differs between versions of Isaac Lab, and nothing else does.

Written for Isaac Lab 2.2 and 2.3 (``isaaclab``). Isaac Lab 1.x has the same classes under ``omni.isaac.lab``; an alias
makes them importable by the newer names. Isaac Lab 3 changed quaternions, tensors and writers; it has an adapter of its
own, ``hpvqa.sim.isaaclab3``, which computes without Isaac Sim.
"""

from __future__ import annotations

import importlib
import importlib.abc
import importlib.util
import sys
from collections.abc import Sequence
from importlib.machinery import ModuleSpec
from importlib.metadata import PackageNotFoundError, version
from types import ModuleType
from typing import Any

from hpvqa.errors import UsageError

SUPPORTED = "Isaac Lab 2.2 or 2.3, with Isaac Sim 5.0 or 5.1"
_OLDEST = {2: (2, 2), 0: (0, 44)}
"""The oldest that is supported, as a release and as the number of its extension (release 2.2.0 is 0.44.9)."""
SUPPORTED_3 = "Isaac Lab 3.0, with ovphysx, in Python 3.12 (`make isaac` in a checkout)"
_OLD, _NEW = "omni.isaac.lab", "isaaclab"


class OldNames(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Finds the modules of Isaac Lab 1.x under the names that they have since 2.0."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None = None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Answer for the renamed package and all that is in it."""
        if fullname.partition(".")[0] != _NEW:
            return None
        return ModuleSpec(fullname, self, is_package=True)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        """Return the module of the older name, so that a class exists once, whatever it is called."""
        module = importlib.import_module(_OLD + spec.name.removeprefix(_NEW))
        self._own_spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """The module has been executed already; only its own description is put back."""
        module.__spec__ = self._own_spec


def activate() -> None:
    """Make ``isaaclab`` importable, whichever version is installed. Imports nothing of it.

    Raises:
        UsageError: There is no Isaac Lab in this Python.
    """
    if _exists(_NEW):
        return
    if not _exists(_OLD):
        raise UsageError(f"This Python has no Isaac Lab: {sys.executable}; install {SUPPORTED}")
    sys.meta_path.insert(0, OldNames())


def _exists(name: str) -> bool:
    try:
        return importlib.util.find_spec(name) is not None
    except ModuleNotFoundError:
        return False


def check_versions(lab: str | None, python: tuple[int, int]) -> None:
    """Refuse versions that this code was not written for.

    Args:
        lab: Version of the distribution ``isaaclab``, if it has one. An installation from source gives the number of
            its extension instead, such as 0.54.2 for release 2.3.2.
        python: Version of the interpreter.

    Raises:
        UsageError: They are not supported; the message says which are.
    """
    numbers = tuple(int(part) for part in (lab or "").split(".")[:2] if part.isdecimal())
    if python >= (3, 12) or numbers >= (3,):
        what = f"Isaac Lab {lab}" if lab and not lab.startswith("0.") else f"Python {python[0]}.{python[1]}"
        raise UsageError(
            f"{what} belongs to Isaac Lab 3, whose interface is another; use {SUPPORTED}, or --physics ovphysx"
        )
    if python < (3, 10):
        raise UsageError(f"Python {python[0]}.{python[1]} is too old for Isaac Lab; use {SUPPORTED}")
    if numbers and numbers < _OLDEST.get(numbers[0], numbers):
        raise UsageError(f"Isaac Lab {lab} is too old; use {SUPPORTED}")


def check_versions_3(lab: str | None, python: tuple[int, int]) -> None:
    """Refuse what cannot compute without Isaac Sim.

    Args:
        lab: Version of the distribution ``isaaclab``, if there is one.
        python: Version of the interpreter.

    Raises:
        UsageError: It cannot; the message says what can.
    """
    if lab is not None and not lab.startswith("3."):
        raise UsageError(f"Isaac Lab {lab} cannot compute without Isaac Sim; use {SUPPORTED_3}, or --physics isaacsim")
    if python != (3, 12):
        raise UsageError(f"Isaac Lab 3 needs Python 3.12, this is {python[0]}.{python[1]}; use {SUPPORTED_3}")
    if lab is None:
        raise UsageError(f"This Python has no Isaac Lab; use {SUPPORTED_3}")
    if not lab.startswith("3.0."):
        raise UsageError(f"Isaac Lab {lab} was not tried with this version of hpvqa; use {SUPPORTED_3}")


def versions() -> dict[str, str]:
    """Names and versions of what the results of this process depend on."""
    found = {}
    for name in ("isaacsim", "isaaclab", "torch", "numpy"):
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    if "isaacsim" not in found:
        found["isaacsim"] = _sim_version()
    return found


def _sim_version() -> str:
    # A workstation installation is no distribution; 4.5 moved the module that knows its version.
    for name in ("isaacsim.core.version", "omni.isaac.version"):
        if _exists(name):
            module: Any = importlib.import_module(name)
            return str(module.get_version()[0])
    return "unknown"
