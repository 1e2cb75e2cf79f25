"""The environment as a configuration of Isaac Lab 3."""

from __future__ import annotations

from functools import partial
from pathlib import Path

from isaaclab.managers import EventTermCfg
from isaaclab.scene import InteractiveSceneCfg
from isaaclab.utils import configclass
from isaaclab_ov.physics import OvPhysxCfg

from hpvqa.sim.isaac.managed import EpisodesCfg, Settings, complete, scene_of
from hpvqa.sim.isaac.names import ROBOT
from hpvqa.sim.isaaclab3 import names, spawn
from hpvqa.sim.isaaclab3.apply import ApplySpecs
from hpvqa.sim.isaaclab3.follow import FollowCfg
from hpvqa.sim.isaaclab3.robot import robot


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


def scene(settings: Settings, file: Path) -> InteractiveSceneCfg:
    """The scene, with the robot of a USD file."""
    around = {ROBOT: robot(file), **spawn.scenery(), "bounce": spawn.bounce()}
    # Contact sensors of ovphysx need replicated physics.
    camera = partial(spawn.camera, renderer=spawn.warp(), layers=settings.layers)
    return scene_of(settings, around, spawn.thing_of, camera, replicated=True)


def environment(settings: Settings, file: Path) -> EnvironmentCfg:
    """The whole configuration, with the robot of a USD file."""
    config = EnvironmentCfg()
    fill(config, settings, file)
    return config


def fill(config: EnvironmentCfg, settings: Settings, file: Path) -> None:
    """Give a configuration its scene, with the robot of a USD file, its times and its physics."""
    config.scene = scene(settings, file)
    complete(config, settings, names.ARM_JOINTS)
    config.sim.physics = OvPhysxCfg(enable_enhanced_determinism=True)
