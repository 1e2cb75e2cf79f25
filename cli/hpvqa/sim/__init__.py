"""Simulators that realise an episode spec, and what they share."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from hpvqa.errors import UsageError, nearest

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from hpvqa.scene.spec import Thing
    from hpvqa.sim.isaac.discover import Installation
    from hpvqa.sim.mujoco.posed import Body
    from hpvqa.sim.protocol import SteppedSimulator

BACKENDS = ("mujoco", "isaac")


def prepare(backend: str, *, draws: bool, tell: Callable[[str], None], physics: str = "isaacsim") -> None:
    """Make sure that a simulator can start; fetch or make what it lacks once, before many processes start one each.

    Args:
        backend: Its name.
        draws: Whether it will render.
        tell: Told of what takes long.
        physics: Where the simulator isaac computes.

    Raises:
        UsageError: There is no such simulator, or it lacks something; the message says what to install.
        RunError: What it lacks cannot be fetched.
    """
    _check(backend)
    from hpvqa.resources import default_cache
    from hpvqa.sim.mujoco.assets import MODEL, robot_dir

    if backend == "isaac":
        from hpvqa.sim.isaac.discover import check
        from hpvqa.sim.isaac.gpu import gpu_names, require_rtx

        check(isaac_python(physics), physics)
        if physics == "ovphysx":
            robot_dir(default_cache(os.environ), tell=tell)
        else:
            require_rtx(gpu_names())
        return
    from hpvqa.sim.mujoco.gl import choose_gl

    cache = default_cache(os.environ)
    robot = robot_dir(cache, tell=tell)
    if draws:
        choose_gl(os.environ)
        from hpvqa.sim.mujoco.robot import prepare_meshes

        prepare_meshes(robot / MODEL, cache, tell)


def open_simulator(resolution: tuple[int, int] | None) -> SteppedSimulator:
    """Start the embedded simulator. Isaac Sim runs in a process of its own, which collecting starts.

    Args:
        resolution: Width and height of images [pixels]; None if nothing is ever rendered.

    Raises:
        UsageError: It lacks something; the message says what to install.
        RunError: What it lacks cannot be fetched.
    """
    _check("mujoco")
    from hpvqa.resources import default_cache
    from hpvqa.sim.mujoco.assets import MODEL, robot_dir
    from hpvqa.sim.mujoco.gl import choose_gl

    cache = default_cache(os.environ)
    robot = robot_dir(cache)
    gl = "none" if resolution is None else choose_gl(os.environ)
    from hpvqa.sim.mujoco.simulator import MujocoSimulator

    return MujocoSimulator(robot / MODEL, cache, resolution, gl)


def episode_bodies(
    things: Sequence[Thing], rows: Mapping[str, NDArray[np.float64]], tell: Callable[[str], None]
) -> list[Body]:
    """The robot and things of an episode, with their meshes and poses.

    Args:
        things: Its things.
        rows: The columns of its trajectory, each of shape (rows,).
        tell: Told of what takes long.

    Raises:
        UsageError: The embedded simulator, which knows the robot, is not installed.
        RunError: What it lacks cannot be fetched.
    """
    _check("mujoco")
    from hpvqa.resources import default_cache
    from hpvqa.sim.mujoco.assets import MODEL, robot_dir

    cache = default_cache(os.environ)
    robot = robot_dir(cache, tell=tell)
    from hpvqa.sim.mujoco.posed import bodies

    return list(bodies(robot / MODEL, cache, things, rows))


def isaac_python(physics: str = "isaacsim") -> Installation:
    """Where the Python of Isaac Lab is.

    Args:
        physics: Where it is to compute.

    Raises:
        UsageError: It was not found.
    """
    from hpvqa.sim.isaac.discover import find

    try:
        home = Path.home()
    except RuntimeError:
        home = None
    return find(os.environ, home, physics=physics)


def _check(backend: str) -> None:
    if backend not in BACKENDS:
        raise UsageError(f"There is no simulator {backend!r}; {nearest(backend, BACKENDS)}")
    if backend == "mujoco":
        from hpvqa.sim.mujoco import require_mujoco

        require_mujoco()
