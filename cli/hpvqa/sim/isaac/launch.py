"""Starting Kit, in the child process, before anything of Isaac Lab is imported."""

from __future__ import annotations

import os
import sys
from importlib.metadata import PackageNotFoundError, version
from typing import Any

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.isaac import compat
from hpvqa.sim.isaac.names import ASSETS
from hpvqa.sim.protocol import Simulator


def start_kit(*, cameras: bool, assets: str | None) -> Any:
    """Start Kit without a window.

    Args:
        cameras: Whether anything will be drawn.
        assets: Folder of an offline copy of the assets; None: as Isaac Sim is configured.

    Returns:
        The application; close it in the end.

    Raises:
        UsageError: Isaac Lab is missing, or is of a version that is not supported.
    """
    compat.activate()
    compat.check_versions(_lab_version(), sys.version_info[:2])
    from isaaclab.app import AppLauncher

    if assets is not None:
        # Kit reads the process's own arguments. Isaac Lab's way to add some, kit_args, splits them at spaces.
        sys.argv.append(f"--/persistent/isaac/asset_root/cloud={assets}")
    return AppLauncher({"headless": True, "enable_cameras": cameras}).app


def open_isaac(example: EpisodeSpec, environments: int, fps: int, resolution: tuple[int, int] | None) -> Simulator:
    """Start Kit, and in it environments for episodes like ``example``.

    Args:
        example: An episode of the task.
        environments: How many side by side.
        fps: Frames a second.
        resolution: Width and height of images [pixels]; None to draw nothing.

    Raises:
        UsageError: Isaac Lab or the robot's model is missing, or is of a version that is not supported.
        RunError: The model is not one that this version knows.
    """
    start_kit(cameras=resolution is not None, assets=os.environ.get(ASSETS) or None)
    # Only now: these import modules of Kit.
    import isaaclab.envs  # noqa: F401 - first, or its managers are imported in a circle
    from isaaclab.utils.assets import check_file_path

    from hpvqa.sim.isaac import robot
    from hpvqa.sim.isaac.managed import Settings
    from hpvqa.sim.isaac.simulator import IsaacSimulator

    if not check_file_path(robot.MODEL):
        raise robot.no_model(robot.MODEL)
    settings = Settings(
        example=example,
        environments=environments,
        fps=fps,
        resolution=resolution,
        robot_bodies=robot.moving_bodies(),
        device="cuda:0",
    )
    return IsaacSimulator(settings)


def _lab_version() -> str | None:
    try:
        return version("isaaclab")
    except PackageNotFoundError:
        return None
