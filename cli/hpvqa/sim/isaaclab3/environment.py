"""The environment as a configuration of Isaac Lab 3."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import isaaclab.envs.mdp as mdp
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import EventTermCfg, ObservationGroupCfg, ObservationTermCfg, SceneEntityCfg, TerminationTermCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.utils import configclass
from isaaclab_ov.physics import OvPhysxCfg

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.isaac.names import ROBOT, camera, contact
from hpvqa.sim.isaac.spawn import SPACING, contact_sensor
from hpvqa.sim.isaac.timing import substeps, timestep
from hpvqa.sim.isaaclab3 import names, spawn
from hpvqa.sim.isaaclab3.apply import ApplySpecs
from hpvqa.sim.isaaclab3.follow import FollowCfg
from hpvqa.sim.isaaclab3.robot import robot

MARGIN = 60.0
"""Episodes are ended by whoever records them, all at once; the environment's own limit lies this far beyond [s]."""


@dataclass(frozen=True)
class Settings:
    """What all episodes of one environment share.

    Attributes:
        example: One of them: its task decides the shapes, its rig the cameras, its duration the length.
        duration: Length of an episode [s].
        environments: How many happen side by side.
        fps: Frames a second.
        resolution: Width and height of the images [pixels]; None without cameras.
        robot: The robot's USD file.
        robot_bodies: Paths of the robot's bodies, inside the robot, whose contacts with things matter.
        device: Where PhysX computes.
    """

    example: EpisodeSpec
    duration: float
    environments: int
    fps: int
    resolution: tuple[int, int] | None
    robot: Path
    robot_bodies: Sequence[str]
    device: str = "cpu"


@configclass
class ActionsCfg:
    """The one action: commands of a frame."""

    arm: FollowCfg = FollowCfg(substeps=1)


@configclass
class PolicyCfg(ObservationGroupCfg):  # type: ignore[misc] # Isaac Lab has no types
    """What an agent would see of its own body; images are read from the cameras."""

    joints = ObservationTermCfg(
        func=mdp.joint_pos, params={"asset_cfg": SceneEntityCfg(ROBOT, joint_names=names.ARM_JOINTS)}
    )


@configclass
class ObservationsCfg:
    """The one group of observations."""

    policy: PolicyCfg = PolicyCfg()


@configclass
class EventsCfg:
    """What happens at a reset."""

    specs = EventTermCfg(func=ApplySpecs, mode="reset")


@configclass
class RewardsCfg:
    """Nothing is rewarded: episodes are demonstrations."""


@configclass
class TerminationsCfg:
    """Time alone ends an episode."""

    time_out = TerminationTermCfg(func=mdp.time_out, time_out=True)


@configclass
class EnvironmentCfg(ManagerBasedRLEnvCfg):  # type: ignore[misc]
    """A robot and the things that it acts on."""

    actions: ActionsCfg = ActionsCfg()
    observations: ObservationsCfg = ObservationsCfg()
    events: EventsCfg = EventsCfg()
    rewards: RewardsCfg = RewardsCfg()
    terminations: TerminationsCfg = TerminationsCfg()


def scene(settings: Settings) -> InteractiveSceneCfg:
    """The scene: robot, room, things, then sensors, which must come after what they sense."""
    # Contact sensors of ovphysx need replicated physics.
    config = InteractiveSceneCfg(
        num_envs=settings.environments, env_spacing=SPACING, replicate_physics=True, lazy_sensor_update=True
    )
    parts = {ROBOT: robot(settings.robot), **spawn.scenery(), "bounce": spawn.bounce()}
    example = settings.example
    parts |= {thing.name: spawn.rigid_object(thing) for thing in example.things}
    bodies = list(settings.robot_bodies)
    others = {name: [other for other in example.names if other != name] for name in example.names}
    parts |= {contact(name): contact_sensor(name, others[name], bodies) for name in example.names}
    if settings.resolution is not None:
        renderer = spawn.warp()
        for item in example.cameras:
            parts[camera(item.name)] = spawn.camera(item, settings.resolution, renderer)
    for name, part in parts.items():
        setattr(config, name, part)
    return config


def environment(settings: Settings) -> EnvironmentCfg:
    """The whole configuration."""
    config = EnvironmentCfg(
        scene=scene(settings),
        decimation=substeps(settings.fps),
        episode_length_s=settings.duration + MARGIN,
        seed=0,
    )
    config.actions.arm.substeps = config.decimation
    config.sim.device = settings.device
    config.sim.dt = timestep(settings.fps)
    config.sim.render_interval = config.decimation
    config.sim.physics = OvPhysxCfg(enable_enhanced_determinism=True)
    return config
