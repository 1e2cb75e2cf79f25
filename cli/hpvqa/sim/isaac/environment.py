"""The environment as a configuration of Isaac Lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import isaaclab.envs.mdp as mdp
import isaaclab.sim as sim_utils
from isaaclab.envs import ManagerBasedRLEnvCfg
from isaaclab.managers import EventTermCfg, ObservationGroupCfg, ObservationTermCfg, SceneEntityCfg, TerminationTermCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.utils import configclass

from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.isaac import names, spawn
from hpvqa.sim.isaac.action import FollowCfg
from hpvqa.sim.isaac.apply import ApplySpecs
from hpvqa.sim.isaac.robot import robot
from hpvqa.sim.isaac.timing import substeps, timestep

BOUNCE_THRESHOLD = 0.1
"""Below this approach speed [m/s] PhysX lets nothing bounce; the embedded simulator's impact law ends there too."""
MARGIN = 60.0
"""Episodes are ended by whoever records them, all at once; the environment's own limit lies this far beyond [s]."""

RENDER_SETTINGS = {"/rtx/post/motionblur/enabled": False, "/rtx/post/histogram/enabled": False}
"""Settings of Kit's renderer that would let earlier frames reach later ones: blur, and an exposure that adapts.

Set after Isaac Lab has started: its own configuration refuses names that nothing has set yet."""


@dataclass(frozen=True)
class Settings:
    """What all episodes of one environment share.

    Attributes:
        example: One of them: its task decides the shapes, its rig the cameras, its duration the length.
        duration: Length of an episode [s].
        environments: How many happen side by side.
        fps: Frames a second.
        resolution: Width and height of the images [pixels]; None without cameras.
        robot_bodies: Paths of the robot's bodies, inside the robot, whose contacts with objects matter.
        device: Where PhysX computes.
    """

    example: EpisodeSpec
    duration: float
    environments: int
    fps: int
    resolution: tuple[int, int] | None
    robot_bodies: Sequence[str]
    device: str = "cuda:0"


@configclass
class ActionsCfg:
    """The one action: commands of a frame."""

    arm: FollowCfg = FollowCfg(substeps=1)


@configclass
class PolicyCfg(ObservationGroupCfg):  # type: ignore[misc] # Isaac Lab has no types
    """What an agent would see of its own body; images are read from the cameras."""

    joints = ObservationTermCfg(
        func=mdp.joint_pos, params={"asset_cfg": SceneEntityCfg(names.ROBOT, joint_names=names.ARM_JOINTS)}
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
    """The scene: robot, room, objects, then sensors, which must come after what they sense."""
    config = InteractiveSceneCfg(
        num_envs=settings.environments, env_spacing=spawn.SPACING, replicate_physics=False, lazy_sensor_update=True
    )
    parts = {names.ROBOT: robot(), **spawn.scenery()}
    example = settings.example
    parts |= {thing.name: spawn.rigid_object(thing) for thing in example.things}
    bodies = list(settings.robot_bodies)
    others = {name: [other for other in example.names if other != name] for name in example.names}
    parts |= {names.contact(name): spawn.contact_sensor(name, others[name], bodies) for name in example.names}
    if settings.resolution is not None:
        for camera in settings.example.cameras:
            parts[names.camera(camera.name)] = spawn.camera(camera, settings.resolution)
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
    config.ui_window_class_type = None
    config.sim.device = settings.device
    config.sim.dt = timestep(settings.fps)
    config.sim.render_interval = config.decimation
    config.sim.physx.bounce_threshold_velocity = BOUNCE_THRESHOLD
    config.sim.physx.enable_enhanced_determinism = True
    config.sim.physics_material = sim_utils.RigidBodyMaterialCfg(static_friction=1.0, dynamic_friction=1.0)
    # Anti-aliasing by DLSS would blend earlier frames into a picture.
    config.sim.render = sim_utils.RenderCfg(
        antialiasing_mode="FXAA",
        enable_dlssg=False,
        enable_shadows=True,
        enable_direct_lighting=True,
        enable_global_illumination=True,
    )
    return config
