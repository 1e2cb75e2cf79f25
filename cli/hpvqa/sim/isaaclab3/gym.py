"""Environments of all tasks for Isaac Lab's own scripts; importing this registers their Gym ids.

They have the scene, the physics and the specs of collecting, no cameras, no rewards, and an action for agents. To be
imported before anything of Isaac Lab.
"""

from __future__ import annotations

import os
from functools import cache
from typing import Any

import gymnasium
import warp

from hpvqa.sim.isaaclab3.pinned import allow_unpinned

allow_unpinned(warp)

from isaaclab.managers import ObservationTermCfg  # noqa: E402 - Isaac Lab allocates as it is imported
from isaaclab.utils import configclass  # noqa: E402
from torch import Tensor  # noqa: E402

from hpvqa.errors import UsageError  # noqa: E402
from hpvqa.recipe import Recipe  # noqa: E402
from hpvqa.resources import default_cache  # noqa: E402
from hpvqa.scene.randomization import Randomization  # noqa: E402
from hpvqa.scene.rigs import Rig  # noqa: E402
from hpvqa.scene.sampling import sample_episode  # noqa: E402
from hpvqa.scene.spec import EpisodeSpec  # noqa: E402
from hpvqa.sim.isaac.limits import check_things  # noqa: E402
from hpvqa.sim.isaac.managed import ObservationsCfg, PolicyCfg, Settings  # noqa: E402
from hpvqa.sim.isaaclab3 import steer  # noqa: E402
from hpvqa.sim.isaaclab3.apply import ApplySpecs  # noqa: E402
from hpvqa.sim.isaaclab3.environment import ActionsCfg, EnvironmentCfg, EventsCfg, fill  # noqa: E402
from hpvqa.sim.isaaclab3.robot import gripper_bodies  # noqa: E402
from hpvqa.sim.isaaclab3.robot_file import robot_file  # noqa: E402
from hpvqa.sim.mujoco.assets import robot_dir  # noqa: E402
from hpvqa.tasks import TASKS  # noqa: E402


def spec_of(task: str, seed: int, index: int) -> EpisodeSpec:
    """What ``hpvqa collect`` would make of one episode of a seed, with everything as always."""
    rig, found = _rig(), TASKS[task]
    cameras = rig.cameras(task)
    return sample_episode(found, found.ranges(), Randomization(), rig.name, cameras, seed=seed, index=index)


@cache
def _rig() -> Rig:
    return Recipe().camera_rig()


class DrawSpecs(ApplySpecs):
    """At every reset, lets environments become the next episodes of the configuration's seed."""

    drawn = 0
    """Episodes so far, which is the number of the next one."""

    def __call__(self, env: Any, env_ids: Tensor | None) -> None:
        """Draw and apply."""
        specs = dict(enumerate(self._specs))
        for number in range(self.num_envs) if env_ids is None or not specs else env_ids.tolist():
            specs[number] = spec_of(env.cfg.task, env.cfg.seed or 0, self.drawn)
            self.drawn += 1
        self.assign([specs[number] for number in range(self.num_envs)])
        super().__call__(env, env_ids)


@configclass
class SteersCfg(ActionsCfg):
    """The one action."""

    arm: steer.SteerCfg = steer.SteerCfg()


@configclass
class SeenCfg(PolicyCfg):
    """What an agent knows of its body and of the things."""

    pinch: ObservationTermCfg = ObservationTermCfg(func=steer.pinch)
    things: ObservationTermCfg = ObservationTermCfg(func=steer.positions)


@configclass
class SeesCfg(ObservationsCfg):
    """The one group of observations."""

    policy: SeenCfg = SeenCfg()


@configclass
class DrawnCfg(EventsCfg):
    """What happens at a reset."""

    def __post_init__(self) -> None:
        """Draw specs instead of waiting for them."""
        self.specs.func = DrawSpecs


@configclass
class TaskEnvCfg(EnvironmentCfg):
    """A task as an environment of Isaac Lab; subclass it to add rewards, terminations, cameras.

    Its robot is made or taken from the cache as soon as it is constructed.
    """

    task: str = ""
    actions: SteersCfg = SteersCfg()
    observations: SeesCfg = SeesCfg()
    events: DrawnCfg = DrawnCfg()

    def __post_init__(self) -> None:
        """Fill the scene.

        Raises:
            UsageError: There is no such task here.
        """
        if self.task not in supported():
            raise UsageError(f"Isaac Lab has no task {self.task!r}; it has {', '.join(supported())}")
        folder = default_cache(os.environ)
        file = robot_file(robot_dir(folder), folder)
        settings = Settings(
            example=spec_of(self.task, 0, 0),
            environments=1,
            fps=TASKS[self.task].default_fps,
            resolution=None,
            robot_bodies=gripper_bodies(file),
            device="cpu",
        )
        fill(self, settings, file)
        self.episode_length_s = settings.duration
        self.observations.policy.things.params = {"names": settings.example.names}


def supported() -> list[str]:
    """Names of the tasks whose things Isaac Lab can hold."""
    found = []
    for name in TASKS:
        try:
            check_things(spec_of(name, 0, 0).things, "ovphysx")
        except UsageError:
            continue
        found.append(name)
    return found


def identity(task: str) -> str:
    """The Gym id of a task."""
    return f"Hpvqa-{task.title()}"


def _register(task: str) -> None:
    def config() -> TaskEnvCfg:
        return TaskEnvCfg(task=task)

    gymnasium.register(
        id=identity(task),
        entry_point="isaaclab.envs:ManagerBasedRLEnv",
        disable_env_checker=True,
        kwargs={"env_cfg_entry_point": config},
    )


for _name in supported():
    _register(_name)
