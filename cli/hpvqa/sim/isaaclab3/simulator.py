"""Isaac Lab 3 with PhysX and without Kit, as a :class:`hpvqa.sim.protocol.Simulator`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version
from typing import Any

import numpy as np
from isaaclab.envs import ManagerBasedRLEnv
from numpy.typing import NDArray
from torch import Tensor

from hpvqa.scene.layers import DEPTH_SCALE, Layer
from hpvqa.scene.spec import CameraSpec, EpisodeSpec
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.batch import LabSimulator
from hpvqa.sim.isaac.managed import Settings
from hpvqa.sim.isaaclab3.environment import EnvironmentCfg
from hpvqa.sim.isaaclab3.look import Look, light
from hpvqa.sim.isaaclab3.read import WorldReader
from hpvqa.sim.isaaclab3.spawn import OUTPUTS
from hpvqa.sim.isaaclab3.trial import Trial
from hpvqa.sim.protocol import Command, labels

PACKAGES = ("isaaclab", "ovphysx", "newton", "warp-lang", "torch", "numpy")


def millimetres(depth: NDArray[Any]) -> NDArray[np.uint16]:
    """Depth [m], not finite or 0 where nothing is, as it is recorded."""
    known = np.where(np.isfinite(depth), depth, 0.0)
    found: NDArray[np.uint16] = np.rint(np.clip(DEPTH_SCALE * known, 0, 65535)).astype(np.uint16)
    return found


class Lab3Simulator(LabSimulator):
    """Many environments of Isaac Lab.

    Friction and restitution are tried before the first episode (``trial.py``).

    Args:
        settings: What all episodes share.
        config: The environment's configuration.
    """

    def __init__(self, settings: Settings, config: EnvironmentCfg) -> None:
        env = ManagerBasedRLEnv(cfg=config)
        arm = env.action_manager.get_term("arm").arm
        super().__init__(env, WorldReader(env, arm, settings.example.names), settings.environments, settings.fps)
        self._tried = False
        self._look: Look | None = None
        if settings.resolution is not None:
            renderer = env.scene[names.camera(settings.example.cameras[0].name)]._renderer
            light(renderer.newton_sensor)
            self._look = Look(renderer.newton_sensor.model, list(env.scene.env_prim_paths))

    def layers(self, camera: CameraSpec, wanted: Sequence[Layer]) -> dict[Layer, NDArray[Any]]:
        """Depth and segmentation of all worlds; the room has no ceiling, where depth is 0."""
        drawn = self._env.scene[names.camera(camera.name)].data
        found: dict[Layer, NDArray[Any]] = {}
        for layer in wanted:
            values = drawn.output[OUTPUTS[layer]].torch[: self._count, ..., 0].detach().to("cpu").numpy()
            found[layer] = millimetres(values) if layer == "depth" else self._labelled(values, drawn.info)
        return found

    def _labelled(self, numbers: NDArray[Any], info: Any) -> NDArray[np.uint8]:
        """A segmentation by Isaac Lab in our numbers."""
        meanings = labels(self._reader.things)
        paths = info[OUTPUTS["segmentation"]]["idToLabels"]
        ours = np.zeros(max(paths) + 1, np.uint8)
        for number, path in paths.items():
            ours[number] = meanings.get(path.rsplit("/", 1)[-1], 0)
        found: NDArray[np.uint8] = ours[numbers]
        return found

    def versions(self) -> dict[str, str]:
        """Versions of Isaac Lab and what computes for it."""
        return {**{name: version(name) for name in PACKAGES}, "machine": platform.machine()}

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _realise(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        self._apply.assign(specs)
        self._env.reset()
        if self._tried:
            self._settle(starts)
        else:
            trial = Trial(self._env, specs)
            self._settle(starts, trial.watch)
            trial.check()
            self._tried = True
        self._apply.place(self._env)
        # One step with the things at rest: until then pictures show them where they were before.
        self._follow_once(starts)
        for number, spec in enumerate(specs):
            if self._look is not None:
                self._look.apply(number, spec)
                self._apply.mismatches[number] += self._look.wrong(number, spec)

    def _rgb(self, camera: str) -> Tensor:
        pictures: Tensor = self._env.scene[camera].data.output["rgb"].torch[..., :3]
        return pictures
