"""What each camera of an episode sees at its start, as picture files; no episode is run."""

from __future__ import annotations

from pathlib import Path

from PIL import Image

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.planner import Planner
from hpvqa.sim.protocol import SteppedSimulator
from hpvqa.tasks import TASKS


def write_stills(simulator: SteppedSimulator, spec: EpisodeSpec, folder: Path) -> list[Path]:
    """Write ``CAMERA.png`` for every camera of an episode into an existing folder.

    Args:
        simulator: What draws, at its resolution.
        spec: The episode.
        folder: Where the pictures go.

    Returns:
        Where they are, in the order of the cameras.
    """
    simulator.reset(spec, Planner(TASKS[spec.task].waypoints(spec)).command(0.0))
    paths = []
    for camera in spec.cameras:
        paths.append(folder / f"{camera.name}.png")
        Image.fromarray(simulator.render(camera)).save(paths[-1])
    return paths
