"""The embedded simulator: MuJoCo with a Panda arm and a Robotiq 2F-85 gripper."""

from __future__ import annotations

import importlib.util
from importlib.metadata import Distribution, PackageNotFoundError, distribution

from hpvqa.errors import MissingDependencyError
from hpvqa.install import pip_install

MINIMUM_PYTHON = (3, 11)
"""The oldest Python that MuJoCo 4 comes for."""


def require_mujoco() -> None:
    """Make sure that MuJoCo is installed, and nothing in its way, without importing it.

    Raises:
        MissingDependencyError: It is not.
    """
    trouble = mujoco_trouble()
    if trouble is not None:
        raise MissingDependencyError(trouble)


def mujoco_trouble() -> str | None:
    """Why MuJoCo cannot be imported, and the command that mends it; None if it can.

    Two packages bring the folder ``mujoco``: ``mujoco-core``, which we use, and ``mujoco``, which others need. Together
    they overwrite each other's files, and when one of them is removed again it takes files of the other with it.
    """
    ours, other = _distribution("mujoco-core"), _distribution("mujoco")
    again = f"run: pip uninstall -y mujoco mujoco-core && {pip_install('mujoco')}"
    if ours is None and other is None:
        return f"The embedded simulator is not installed; with Python 3.11 or later, run: {pip_install('mujoco')}"
    if other is not None and any(str(path) == "mujoco/__init__.py" for path in other.files or ()):
        beside = "instead of" if ours is None else "beside"
        return (
            f"The package mujoco {other.version} is installed {beside} mujoco-core, and both bring the folder mujoco; "
            f"{again} (and keep what needs mujoco in another environment)"
        )
    found = importlib.util.find_spec("mujoco")
    if found is None or found.origin is None:
        return f"Files of MuJoCo are missing, such as after another package with the same files was removed; {again}"
    return None


def _distribution(name: str) -> Distribution | None:
    try:
        return distribution(name)
    except PackageNotFoundError:
        return None
