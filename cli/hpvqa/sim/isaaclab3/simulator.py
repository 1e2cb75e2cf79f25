"""Isaac Lab 3 with PhysX and without Kit, as a :class:`hpvqa.sim.protocol.Simulator`."""

from __future__ import annotations

import platform
from collections.abc import Sequence
from importlib.metadata import version

from isaaclab.envs import ManagerBasedRLEnv
from torch import Tensor

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.isaac.batch import LabSimulator
from hpvqa.sim.isaac.managed import Settings
from hpvqa.sim.isaac.names import camera
from hpvqa.sim.isaaclab3.environment import EnvironmentCfg
from hpvqa.sim.isaaclab3.look import Look, light
from hpvqa.sim.isaaclab3.read import WorldReader
from hpvqa.sim.protocol import Command

PACKAGES = ("isaaclab", "ovphysx", "newton", "warp-lang", "torch", "numpy")


class Lab3Simulator(LabSimulator):
    """Many environments of Isaac Lab.

    Args:
        settings: What all episodes share.
        config: The environment's configuration.
    """

    def __init__(self, settings: Settings, config: EnvironmentCfg) -> None:
        env = ManagerBasedRLEnv(cfg=config)
        arm = env.action_manager.get_term("arm").arm
        super().__init__(env, WorldReader(env, arm, settings.example.names), settings.environments, settings.fps)
        self._look: Look | None = None
        if settings.resolution is not None:
            renderer = env.scene[camera(settings.example.cameras[0].name)]._renderer
            light(renderer.newton_sensor)
            self._look = Look(renderer.newton_sensor.model, list(env.scene.env_prim_paths))

    def versions(self) -> dict[str, str]:
        """Versions of Isaac Lab and what computes for it."""
        return {**{name: version(name) for name in PACKAGES}, "machine": platform.machine()}

    def close(self) -> None:
        """Close the environment."""
        self._env.close()

    def _realise(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        self._apply.assign(specs)
        self._env.reset()
        self._settle(starts)
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
