"""What the environment has in common as a configuration of any version of Isaac Lab."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import MISSING, dataclass
from typing import Any

import isaaclab.envs.mdp as mdp
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import ObservationGroupCfg, ObservationTermCfg, SceneEntityCfg, TerminationTermCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.utils import configclass

from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import CameraSpec, EpisodeSpec, Thing
from hpvqa.scene.spring import PLATE
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.spawn import SPACING, contact_sensor
from hpvqa.sim.isaac.timing import substeps, timestep
from hpvqa.tasks import TASKS

MARGIN = 60.0
"""Episodes are ended by whoever records them, all at once; the environment's own limit lies this far beyond [s]."""


@dataclass(frozen=True)
class Settings:
    """What all episodes of one environment share.

    Attributes:
        example: One of them: its task decides the shapes, its rig the cameras, its duration the length.
        environments: How many happen side by side.
        fps: Frames a second.
        resolution: Width and height of the images [pixels]; None without cameras.
        robot_bodies: Paths of the robot's bodies, inside the robot, whose contacts with things matter.
        device: Where PhysX computes.
        layers: What is drawn beside colours.
    """

    example: EpisodeSpec
    environments: int
    fps: int
    resolution: tuple[int, int] | None
    robot_bodies: Sequence[str]
    device: str
    layers: Sequence[Layer] = ()

    @property
    def duration(self) -> float:
        """Length of an episode [s]."""
        return TASKS[self.example.task].duration(self.example)


@configclass
class PolicyCfg(ObservationGroupCfg):  # type: ignore[misc] # Isaac Lab has no types
    """What an agent would see of its own body; images are read from the cameras."""

    joints: ObservationTermCfg = MISSING


@configclass
class ObservationsCfg:
    """The one group of observations."""

    policy: PolicyCfg = PolicyCfg()


@configclass
class RewardsCfg:
    """Nothing is rewarded: episodes are demonstrations."""


@configclass
class TerminationsCfg:
    """Time alone ends an episode."""

    time_out = TerminationTermCfg(func=mdp.time_out, time_out=True)


@configclass
class EpisodesCfg(ManagerBasedRLEnvCfg):  # type: ignore[misc]
    """A robot and the things that it acts on; what moves the robot and what happens at a reset differ by version."""

    observations: ObservationsCfg = ObservationsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()


def scene_of(
    settings: Settings,
    around: Mapping[str, Any],
    thing: Callable[[Thing], Any],
    camera: Callable[[CameraSpec, tuple[int, int]], Any],
    *,
    replicated: bool,
) -> InteractiveSceneCfg:
    """The scene: robot and room, things, then sensors, which must come after what they sense.

    Args:
        settings: What all episodes share.
        around: The robot and the room, by name.
        thing: Makes a thing.
        camera: Makes a camera for pictures of a width and height.
        replicated: Whether PhysX copies the first environment.
    """
    config = InteractiveSceneCfg(
        num_envs=settings.environments, env_spacing=SPACING, replicate_physics=replicated, lazy_sensor_update=True
    )
    example, bodies = settings.example, list(settings.robot_bodies)
    parts = {**around, **{one.name: thing(one) for one in example.things}}
    moving = {one.name: one.name + (PLATE if one.shape == "spring" else "") for one in example.things}
    for name, body in moving.items():
        others = [other for other in moving.values() if other != body]
        parts[names.contact(name)] = contact_sensor(body, others, bodies)
    if settings.resolution is not None:
        parts |= {names.camera(one.name): camera(one, settings.resolution) for one in example.cameras}
    for name, part in parts.items():
        setattr(config, name, part)
    return config


def complete(config: Any, settings: Settings, arm_joints: Sequence[str]) -> None:
    """Say how often things happen, where, and what is observed.

    Args:
        config: An :class:`EpisodesCfg` whose one action is called ``arm``.
        settings: What all episodes share.
        arm_joints: Names of the arm's joints.
    """
    config.decimation = config.actions.arm.substeps = config.sim.render_interval = substeps(settings.fps)
    config.episode_length_s = settings.duration + MARGIN
    config.seed = 0
    config.sim.device = settings.device
    config.sim.dt = timestep(settings.fps)
    arm = SceneEntityCfg(names.ROBOT, joint_names=arm_joints)
    config.observations.policy.joints = ObservationTermCfg(func=mdp.joint_pos, params={"asset_cfg": arm})
