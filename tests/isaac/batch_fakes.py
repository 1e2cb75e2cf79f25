"""An installation of Isaac Sim that is none: its Python runs our child process with MuJoCo worlds, or goes wrong.

`python -m tests.isaac.batch_fakes KIND FOLDER` stands for the child process in Isaac Sim's Python.
"""

from __future__ import annotations

import errno
import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

import hpvqa
from hpvqa.collect.batches.child import run
from hpvqa.errors import UsageError
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.batch import BatchSimulator
from hpvqa.sim.protocol import Command, State

ROOT = Path(__file__).parents[2]


class MujocoBatch:
    """Several MuJoCo worlds in step. The first attempt at every third push fails, in the simulator's own words."""

    name = "isaac"

    def __init__(self, places: int, fps: int, resolution: tuple[int, int] | None) -> None:
        self._worlds = [open_simulator(resolution) for _ in range(places)]
        self.places = places
        self.timestep = self._worlds[0].timestep
        self.substeps = round(1 / (fps * self.timestep))
        self._specs: list[EpisodeSpec] = []

    def reset(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        assert len(specs) <= self.places
        assert len({spec.task for spec in specs}) == 1
        self._specs = list(specs)
        for world, spec, start in zip(self._worlds, specs, starts, strict=False):
            world.reset(spec, start)

    def states(self) -> list[State]:
        return [world.state() for world in self._worlds[: len(self._specs)]]

    def advance(self, commands: Sequence[Sequence[Command]]) -> list[list[State]]:
        found = []
        for world, steps in zip(self._worlds, commands, strict=False):
            assert len(steps) == self.substeps
            found.append([])
            for command in steps:
                world.step(command)
                found[-1].append(world.state())
        return found

    def images(self, camera: str) -> NDArray[np.uint8]:
        seen = next(item for item in self._specs[0].cameras if item.name == camera)
        return np.stack([world.render(seen).copy() for world in self._worlds[: len(self._specs)]])

    def troubles(self) -> list[str | None]:
        unlucky = [spec.task == "push" and spec.index % 3 == 1 and spec.attempt == 0 for spec in self._specs]
        return ["the first picture of top shows an earlier moment" if bad else None for bad in unlucky]

    def versions(self) -> dict[str, str]:
        return {"isaacsim": "5.1.0", **self._worlds[0].versions()}

    def close(self) -> None:
        for world in self._worlds:
            world.close()


class FullDisk(MujocoBatch):
    def advance(self, commands: Sequence[Sequence[Command]]) -> list[list[State]]:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))


def open_mujoco(spec: EpisodeSpec, places: int, fps: int, resolution: tuple[int, int] | None) -> BatchSimulator:
    return MujocoBatch(places, fps, resolution)


def open_full(spec: EpisodeSpec, places: int, fps: int, resolution: tuple[int, int] | None) -> BatchSimulator:
    return FullDisk(places, fps, resolution)


def open_nothing(spec: EpisodeSpec, places: int, fps: int, resolution: tuple[int, int] | None) -> BatchSimulator:
    raise UsageError("The robot model omniverse://x/franka.usd is not there; set HPVQA_ISAAC_ASSETS")


def open_greedy(spec: EpisodeSpec, places: int, fps: int, resolution: tuple[int, int] | None) -> BatchSimulator:
    print("[Error] [carb.graphics-vulkan.plugin] VkResult: ERROR_OUT_OF_DEVICE_MEMORY", flush=True)
    os._exit(139)


def open_wrong(spec: EpisodeSpec, places: int, fps: int, resolution: tuple[int, int] | None) -> BatchSimulator:
    raise RuntimeError("PhysX has no such joint")


def open_mute(spec: EpisodeSpec, places: int, fps: int, resolution: tuple[int, int] | None) -> BatchSimulator:
    time.sleep(600)
    raise AssertionError


def open_hung(spec: EpisodeSpec, places: int, fps: int, resolution: tuple[int, int] | None) -> BatchSimulator:
    print("[Error] [gpu.foundation.plugin] A GPU crash occurred. Exiting the application...", flush=True)
    time.sleep(600)
    raise AssertionError


def installation(folder: Path, kind: str, gpu: str = "NVIDIA GeForce RTX 4090", **answer: object) -> dict[str, str]:
    """Variables with which `hpvqa collect --backend isaac` finds this installation.

    Args:
        folder: An empty folder.
        kind: The name of one of the functions above, without ``open_``.
        gpu: What nvidia-smi lists; empty: there is none.
        answer: What the Python says of itself, where that differs.
    """
    said = {"python": [3, 11], "lab": "2.3.2", "has_lab": True, "hpvqa": hpvqa.__version__, "missing": [], **answer}
    python = f"PYTHONPATH={ROOT} exec {sys.executable}"
    _script(
        folder / "isaaclab.sh",
        f"""[ "$1" = -p ] && shift
echo 'Welcome to Isaac Lab'
[ "$1" = -c ] && echo '{json.dumps(said)}' && exit
[ "$1 $2" = "-m hpvqa.collect.batches.child" ] || exit 7
{python} -m tests.isaac.batch_fakes {kind} "$3"
""",
    )
    _script(folder / "nvidia-smi", f"[ -n '{gpu}' ] && echo '{gpu}'")
    return {**os.environ, "HPVQA_ISAAC": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


if __name__ == "__main__":
    run(Path(sys.argv[2]), globals()[f"open_{sys.argv[1]}"])
