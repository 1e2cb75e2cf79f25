"""The embedded simulator: MuJoCo with a Panda arm and a Robotiq 2F-85 gripper."""

from __future__ import annotations

import importlib.util

from hpvqa.errors import MissingDependencyError

MINIMUM_PYTHON = (3, 11)
"""The oldest Python that MuJoCo 4 comes for."""


def require_mujoco() -> None:
    """Make sure that MuJoCo is installed, without importing it.

    Raises:
        MissingDependencyError: It is not.
    """
    if importlib.util.find_spec("mujoco") is None:
        raise MissingDependencyError(
            "The embedded simulator is not installed; with Python 3.11 or later, run: pip install 'hpvqa[mujoco]'"
        )
