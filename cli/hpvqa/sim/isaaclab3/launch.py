"""Starting Isaac Lab 3 without Kit, in the child process, before anything of it is imported."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from hpvqa.resources import default_cache
from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.isaaclab3.pinned import allow_unpinned
from hpvqa.sim.isaaclab3.robot_file import robot_file
from hpvqa.sim.mujoco.assets import robot_dir
from hpvqa.sim.protocol import Simulator


def open_lab3(
    example: EpisodeSpec,
    environments: int,
    fps: int,
    resolution: tuple[int, int] | None,
    layers: Sequence[Layer] = (),
) -> Simulator:
    """Start environments for episodes like ``example``.

    Args:
        example: An episode of the task.
        environments: How many side by side.
        fps: Frames a second.
        resolution: Width and height of images [pixels]; None to draw nothing.
        layers: What to draw beside colours.

    Raises:
        UsageError: The robot's model is damaged.
        RunError: It cannot be fetched or converted.
    """
    cache = default_cache(os.environ)
    robot = robot_file(robot_dir(cache), cache, lambda words: print(words, flush=True))
    return _start(example, environments, fps, resolution, layers, robot)


def _start(
    example: EpisodeSpec,
    environments: int,
    fps: int,
    resolution: tuple[int, int] | None,
    layers: Sequence[Layer],
    robot: Path,
) -> Simulator:
    import torch
    import warp

    allow_unpinned(warp)
    # Worlds are many and small; threads would only wait for each other.
    torch.set_num_threads(1)
    from isaaclab.app import launch_simulation

    from hpvqa.sim.isaac.managed import Settings
    from hpvqa.sim.isaaclab3.environment import environment
    from hpvqa.sim.isaaclab3.robot import gripper_bodies

    settings = Settings(
        example=example,
        environments=environments,
        fps=fps,
        resolution=resolution,
        layers=layers,
        robot_bodies=gripper_bodies(robot),
        device="cpu",
    )
    config = environment(settings, robot)
    # Left only when the process ends: it serves one simulator.
    launched = launch_simulation(config, {"device": settings.device, "headless": True})
    launched.__enter__()
    from hpvqa.sim.isaaclab3.simulator import Lab3Simulator

    return Lab3Simulator(settings, config)
