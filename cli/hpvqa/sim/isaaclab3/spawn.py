"""What one environment holds. Shapes, room and lens are those of ``hpvqa.sim.isaac.spawn``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import isaaclab.sim as sim_utils
from isaaclab.assets import ArticulationCfg, AssetBaseCfg, RigidObjectCfg
from isaaclab.sensors import CameraCfg
from isaaclab.utils import configclass
from isaaclab_newton.renderers import NewtonWarpRendererCfg

from hpvqa.scene.camera import HORIZONTAL_APERTURE
from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import CameraSpec, Thing
from hpvqa.sim.isaac import names, spawn
from hpvqa.sim.isaaclab3.quaternions import xyzw
from hpvqa.sim.isaaclab3.springs import spring

BOUNCE_THRESHOLD = 0.1
"""Below this approach speed [m/s] PhysX lets nothing bounce; the embedded simulator's impact law ends there too."""


def scenery() -> dict[str, AssetBaseCfg]:
    """Everything that never moves, by name; the lamp is one of the renderer's own lights (``look.py``).

    There is no ceiling, for that light comes from as far as beyond it.
    """
    found = spawn.scenery()
    del found[names.LAMP], found["ceiling"]
    return found


def write_bounce_threshold(prim_path: str, cfg: Any, *args: Any, **options: Any) -> Any:
    """Write the threshold onto the stage's physics scene, before PhysX reads it; what is spawned is an empty frame."""
    from isaaclab.sim import SimulationContext
    from pxr import Sdf, UsdGeom

    simulation = SimulationContext.instance()
    scene = simulation.stage.GetPrimAtPath(simulation.cfg.physics_prim_path)
    scene.CreateAttribute("physxScene:bounceThreshold", Sdf.ValueTypeNames.Float).Set(cfg.threshold)
    return UsdGeom.Xform.Define(simulation.stage, prim_path).GetPrim()


@configclass
class BounceCfg(sim_utils.SpawnerCfg):  # type: ignore[misc] # Isaac Lab has no types
    """The threshold of bouncing, for which ``OvPhysxCfg`` has no field."""

    func: Any = write_bounce_threshold
    threshold: float = BOUNCE_THRESHOLD


def bounce() -> AssetBaseCfg:
    """An invisible part of the scene that sets the threshold of bouncing."""
    return AssetBaseCfg(prim_path="/World/bounce", spawn=BounceCfg())


def thing_of(thing: Thing) -> ArticulationCfg | RigidObjectCfg:
    """A thing of this shape and size; its other properties are set at every reset."""
    if thing.shape == "spring":
        return spring(thing, tag(thing.name))
    found = spawn.rigid_object(thing)
    found.spawn.semantic_tags = tag(thing.name)
    found.init_state.rot = xyzw(thing.quat_wxyz)
    return found


def tag(name: str) -> list[tuple[str, str]]:
    """What makes a segmentation tell something from the rest."""
    return [("class", name)]


OUTPUTS: dict[Layer, str] = {"depth": "distance_to_image_plane", "segmentation": "instance_segmentation"}
"""What Isaac Lab calls a layer."""


def camera(
    item: CameraSpec, resolution: tuple[int, int], renderer: NewtonWarpRendererCfg, layers: Sequence[Layer] = ()
) -> CameraCfg:
    """A camera of the rig in every environment."""
    width, height = resolution
    return CameraCfg(
        prim_path=f"{names.ENVIRONMENT}/{names.camera(item.name)}",
        update_period=0.0,
        offset=CameraCfg.OffsetCfg(pos=item.position, rot=xyzw(item.quat_wxyz), convention="opengl"),
        data_types=["rgb", *(OUTPUTS[layer] for layer in layers)],
        spawn=sim_utils.PinholeCameraCfg(
            focal_length=item.focal_length,
            horizontal_aperture=HORIZONTAL_APERTURE,
            vertical_aperture=HORIZONTAL_APERTURE * height / width,
            clipping_range=(item.near, spawn.FAR),
        ),
        width=width,
        height=height,
        renderer_cfg=renderer,
    )


def warp() -> NewtonWarpRendererCfg:
    """Newton's ray tracer in Warp, which draws on a CPU too. One configuration serves all cameras: they share it."""
    options: dict[str, Any] = {
        "use_cuda_graph": False,
        "enable_shadows": True,
        "colorize_instance_segmentation": False,
    }
    return NewtonWarpRendererCfg(**options)
