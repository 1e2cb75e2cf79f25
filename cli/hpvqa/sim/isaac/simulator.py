"""Isaac Sim as a :class:`hpvqa.sim.protocol.Simulator`. Importable only after Kit has started."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.isaac import compat
from hpvqa.sim.isaac.batch import LabSimulator
from hpvqa.sim.isaac.environment import RENDER_SETTINGS, environment
from hpvqa.sim.isaac.managed import Settings
from hpvqa.sim.isaac.read import WorldReader
from hpvqa.sim.protocol import Command

RERENDERS = 16
"""Pictures drawn and thrown away after a reset: denoisers remember the light of some frames before."""


class IsaacSimulator(LabSimulator):
    """Many environments of Isaac Lab in Isaac Sim.

    Args:
        settings: What all episodes share.
        env: The environment, if it was made already; for tests.
    """

    def __init__(self, settings: Settings, env: Any = None) -> None:
        if env is None:
            from isaaclab.envs import ManagerBasedRLEnv

            env = ManagerBasedRLEnv(cfg=environment(settings))
        for path, value in RENDER_SETTINGS.items():
            env.sim.set_setting(path, value)
        self._settings = settings
        super().__init__(env, WorldReader(env, settings.example.names), settings.environments, settings.fps)

    def _realise(self, specs: Sequence[EpisodeSpec], starts: Sequence[Command]) -> None:
        self._apply.assign(specs)
        self._env.reset()
        self._settle(starts)
        self._apply.place(self._env, torch.arange(self._places))
        self._env.scene.write_data_to_sim()
        self._env.sim.forward()
        if self._settings.resolution is not None:
            for _ in range(RERENDERS):
                self._env.sim.render()

    def _rgb(self, camera: str) -> Tensor:
        pictures: Tensor = self._env.scene[camera].data.output["rgb"]
        return pictures

    def versions(self) -> dict[str, str]:
        """Versions of Isaac Sim, Isaac Lab and what computes for them."""
        device = self._settings.device
        gpu = torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu"
        return {**compat.versions(), "gpu": gpu}

    def close(self) -> None:
        """Close the environment; Kit goes on."""
        self._env.close()
