"""Plates on springs: an articulation of a base that stands fast and a plate, whose joint's drive is the spring."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import isaaclab.sim as sim_utils
import isaaclab_ov.tensor_types as tensor_types
import torch
import warp
from isaaclab.actuators import ImplicitActuatorCfg
from isaaclab.assets import ArticulationCfg
from isaaclab.sim.schemas.schemas import create_world_fixed_joint
from isaaclab.utils import configclass
from torch import Tensor

from hpvqa.scene.room import STEEL
from hpvqa.scene.spec import Color, Thing, Vec3
from hpvqa.scene.spring import BASE_HEIGHT, DAMPING, PLATE, PLATE_HEIGHT, PLATE_MASS, STEM_RADIUS, travel
from hpvqa.sim.isaac.look import linear
from hpvqa.sim.isaac.names import ENVIRONMENT
from hpvqa.sim.isaac.spawn import pair_material
from hpvqa.sim.isaaclab3 import names
from hpvqa.sim.isaaclab3.quaternions import xyzw

DRIVE = "force"
"""A drive of the other kind, ``acceleration``, is the stiffer, the heavier the plate is."""
_FORCE = 1e4
"""More than any spring is pressed with [N]; a drive has a limit."""
_SPEED = 100.0
"""More than any plate has [m/s]; a joint has a limit."""
_STIFFNESS = tensor_types.TensorType.ARTICULATION_DOF_STIFFNESS


def _write(prim_path: str, cfg: SpringCfg, translation: Vec3 | None = None, orientation: Any = None, **_: Any) -> Any:
    """Write one onto the stage. The frames of base and plate are that of the whole, while the plate is up."""
    from pxr import Sdf, UsdPhysics

    thing, top = cfg.thing, cfg.thing.half_height
    root = sim_utils.create_prim(prim_path, "Xform", translation=translation, orientation=orientation)
    UsdPhysics.ArticulationRootAPI.Apply(root)
    base, plate = (sim_utils.create_prim(prim_path + part, "Xform") for part in (names.BASE, PLATE))
    for body in (base, plate):
        UsdPhysics.RigidBodyAPI.Apply(body)
        body.AddAppliedSchema("PhysxRigidBodyAPI")
        body.CreateAttribute("physxRigidBody:disableGravity", Sdf.ValueTypeNames.Bool).Set(True)
        UsdPhysics.MassAPI.Apply(body).CreateMassAttr(PLATE_MASS)
    across, along, _ = thing.size
    reach = travel(thing)
    _add(base, "block", _block(thing, (across, along, BASE_HEIGHT), **_solid(thing)), BASE_HEIGHT / 2 - top)
    _add(plate, "block", _block(thing, (across, along, PLATE_HEIGHT), **_solid(thing)), top - PLATE_HEIGHT / 2)
    # The stem goes through base and table. Of a body that has parts which are only seen, Newton draws only these.
    _add(plate, "seen", _block(thing, (across, along, PLATE_HEIGHT)), top - PLATE_HEIGHT / 2)
    _add(plate, names.STEM, _stem(reach), top - PLATE_HEIGHT - reach / 2)
    create_world_fixed_joint(base, root.GetStage())
    joint = UsdPhysics.PrismaticJoint.Define(root.GetStage(), f"{prim_path}/{names.SPRING_JOINT}")
    joint.CreateBody0Rel().SetTargets([base.GetPath()])
    joint.CreateBody1Rel().SetTargets([plate.GetPath()])
    joint.CreateAxisAttr("Z")
    joint.CreateLowerLimitAttr(-reach)
    joint.CreateUpperLimitAttr(0.0)
    # Its numbers are Isaac Lab's actuator's.
    UsdPhysics.DriveAPI.Apply(joint.GetPrim(), "linear").CreateTypeAttr(DRIVE)
    return root


@configclass
class SpringCfg(sim_utils.SpawnerCfg):  # type: ignore[misc] # Isaac Lab has no types
    """A plate on a spring on the stage."""

    func: Any = sim_utils.clone(_write)
    thing: Any = None
    activate_contact_sensors: bool = True


def spring(thing: Thing, tags: list[tuple[str, str]]) -> ArticulationCfg:
    """A plate on a spring of this size; where it stands and how stiff it is is set at every reset."""
    return ArticulationCfg(
        prim_path=f"{ENVIRONMENT}/{thing.name}",
        spawn=SpringCfg(thing=thing, semantic_tags=tags),
        init_state=ArticulationCfg.InitialStateCfg(pos=thing.position, rot=xyzw(thing.quat_wxyz)),
        actuators={
            "spring": ImplicitActuatorCfg(
                joint_names_expr=[names.SPRING_JOINT],
                joint_effort_limit=_FORCE,
                joint_velocity_limit=_SPEED,
                stiffness=thing.stiffness,
                damping=DAMPING,
            )
        },
    )


def set_stiffness(target: Any, things: Sequence[Thing]) -> None:
    """Give the springs of all environments the stiffness of these things."""
    target.write_joint_stiffness_to_sim_index(stiffness=torch.tensor([[thing.stiffness] for thing in things]))


def stiffness(target: Any) -> Tensor:
    """Of the springs of all environments, as PhysX holds it, shape (environments, 1) [N/m]."""
    found: Tensor = warp.to_torch(target.root_view.get_attribute(_STIFFNESS)).clone()
    return found


def _add(body: Any, name: str, shape: Any, height: float) -> None:
    shape.func(f"{body.GetPath()}/{name}", shape, translation=(0.0, 0.0, height))


def _block(thing: Thing, size: Vec3, **solid: Any) -> sim_utils.CuboidCfg:
    return sim_utils.CuboidCfg(size=size, **_look(thing.color), **solid)


def _stem(length: float) -> sim_utils.CylinderCfg:
    return sim_utils.CylinderCfg(radius=STEM_RADIUS, height=length, **_look(STEEL))


def _look(color: Color) -> dict[str, Any]:
    look = sim_utils.PreviewSurfaceCfg(diffuse_color=linear(color), roughness=0.6)
    return {"visual_material": look, "visual_material_path": "look"}


def _solid(thing: Thing) -> dict[str, Any]:
    return {
        "collision_props": sim_utils.CollisionPropertiesCfg(contact_offset=0.002, rest_offset=0.0),
        "physics_material": pair_material(thing.friction, thing.restitution),
        "physics_material_path": "physics",
    }
