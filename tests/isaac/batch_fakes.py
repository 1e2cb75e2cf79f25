"""An installation of Isaac Sim that is none: its Python runs our child process with MuJoCo worlds, or goes wrong.

`python -m tests.isaac.batch_fakes KIND ADDRESS FOLDER` stands for the child process in Isaac Sim's Python; tests know
it by the folder of its installation.
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
from hpvqa.collect.child import Record, recording, run
from hpvqa.collect.messages import Setup
from hpvqa.errors import UsageError
from hpvqa.scene.spec import CameraSpec, EpisodeSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.protocol import Command, State

ROOT = Path(__file__).parents[2]


class MujocoBatch:
    """Several MuJoCo worlds in step. The first attempt at every third push fails, in the simulator's own words."""

    name = "isaac"

    def __init__(self, setup: Setup) -> None:
        self._worlds = [open_simulator(setup.resolution) for _ in range(setup.environments)]
        self.timestep = self._worlds[0].timestep
        self._specs: list[EpisodeSpec] = []

    def begin(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        assert len(specs) <= len(self._worlds)
        assert len({spec.task for spec in specs}) == 1
        self._specs = list(specs)
        for world, spec, start in zip(self._worlds, specs, starts, strict=False):
            world.reset(spec, start)

    def states(self) -> list[State]:
        return [world.state() for world in self._worlds[: len(self._specs)]]

    def advance(self, commands: Sequence[Sequence[Command]]) -> list[list[State]]:
        return [world.advance([steps])[0] for world, steps in zip(self._worlds, commands, strict=False)]

    def images(self, camera: CameraSpec) -> NDArray[np.uint8]:
        return np.concatenate([world.images(camera) for world in self._worlds[: len(self._specs)]])

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


def open_mujoco(setup: Setup) -> Record:
    return recording(MujocoBatch(setup), setup)


def open_full(setup: Setup) -> Record:
    return recording(FullDisk(setup), setup)


def open_nothing(setup: Setup) -> Record:
    raise UsageError("The robot model omniverse://x/franka.usd is not there; set HPVQA_ISAAC_ASSETS")


def open_greedy(setup: Setup) -> Record:
    print("[Error] [carb.graphics-vulkan.plugin] VkResult: ERROR_OUT_OF_DEVICE_MEMORY", flush=True)
    os._exit(139)


def open_wrong(setup: Setup) -> Record:
    raise RuntimeError("PhysX has no such joint")


def open_mute(setup: Setup) -> Record:
    time.sleep(600)
    raise AssertionError


def open_hung(setup: Setup) -> Record:
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
    path = f"{ROOT}:{Path(hpvqa.__file__).parents[1]}"
    python = f"PYTHONPATH={path} exec {sys.executable}"
    _script(
        folder / "isaaclab.sh",
        f"""[ "$1" = -p ] && shift
echo 'Welcome to Isaac Lab'
[ "$1" = -c ] && echo '{json.dumps(said)}' && exit
[ "$1 $2" = "-m hpvqa.collect.child" ] || exit 7
{python} -m tests.isaac.batch_fakes {kind} "$3" {folder}
""",
    )
    _script(folder / "nvidia-smi", f"[ -n '{gpu}' ] && echo '{gpu}'")
    return {**os.environ, "HPVQA_ISAAC": str(folder), "PATH": f"{folder}:{os.environ['PATH']}"}


def _script(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)


if __name__ == "__main__":
    run(sys.argv[2], globals()[f"open_{sys.argv[1]}"])
