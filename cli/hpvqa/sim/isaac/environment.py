"""The environment as a configuration of Isaac Lab in Isaac Sim."""

from __future__ import annotations

import isaaclab.sim as sim_utils
from isaaclab.managers import EventTermCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.utils import configclass

from hpvqa.sim.isaac import names, spawn
from hpvqa.sim.isaac.action import FollowCfg
from hpvqa.sim.isaac.apply import ApplySpecs
from hpvqa.sim.isaac.managed import EpisodesCfg, Settings, complete, scene_of
from hpvqa.sim.isaac.robot import robot

BOUNCE_THRESHOLD = 0.1
"""Below this approach speed [m/s] PhysX lets nothing bounce; the embedded simulator's impact law ends there too."""

RENDER_SETTINGS = {"/rtx/post/motionblur/enabled": False, "/rtx/post/histogram/enabled": False}
"""Settings of Kit's renderer that would let earlier frames reach later ones: blur, and an exposure that adapts.

Set after Isaac Lab has started: its own configuration refuses names that nothing has set yet."""


@configclass
class ActionsCfg:
    """The one action: commands of a frame."""

    arm: FollowCfg = FollowCfg(substeps=1)


@configclass
class EventsCfg:
    """What happens at a reset."""

    specs = EventTermCfg(func=ApplySpecs, mode="reset")


@configclass
class EnvironmentCfg(EpisodesCfg):
    """A robot and the things that it acts on."""

    actions: ActionsCfg = ActionsCfg()
    events: EventsCfg = EventsCfg()


def scene(settings: Settings) -> InteractiveSceneCfg:
    """The scene."""
    around = {names.ROBOT: robot(), **spawn.scenery()}
    return scene_of(settings, around, spawn.rigid_object, spawn.camera, replicated=False)


def environment(settings: Settings) -> EnvironmentCfg:
    """The whole configuration."""
    config = EnvironmentCfg(scene=scene(settings))
    complete(config, settings, names.ARM_JOINTS)
    config.ui_window_class_type = None
    config.sim.physx.bounce_threshold_velocity = BOUNCE_THRESHOLD
    config.sim.physx.enable_enhanced_determinism = True
    config.sim.physics_material = sim_utils.RigidBodyMaterialCfg(static_friction=1.0, dynamic_friction=1.0)
    # Anti-aliasing by DLSS, and the denoiser that Isaac Lab's usual preset switches on, would blend earlier frames into
    # a picture.
    config.sim.render = sim_utils.RenderCfg(
        rendering_mode="quality",
        antialiasing_mode="FXAA",
        enable_dl_denoiser=False,
        enable_dlssg=False,
        enable_shadows=True,
        enable_direct_lighting=True,
        enable_global_illumination=True,
    )
    return config
