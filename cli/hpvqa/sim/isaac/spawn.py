"""What one environment holds: objects, table, light-tight room, lamp, cameras and contact sensors."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import isaaclab.sim as sim_utils
from isaaclab.assets import AssetBaseCfg, RigidObjectCfg
from isaaclab.sensors import ContactSensorCfg, TiledCameraCfg

from hpvqa.scene.camera import HORIZONTAL_APERTURE
from hpvqa.scene.room import (
    FLOOR_Z,
    LEG_HALF,
    LEGS,
    ROOM_HALF,
    STAND,
    STAND_HALF,
    STEEL,
    TABLE_CENTER,
    TABLE_HALF,
    WALL_TOP,
    WALLS,
)
from hpvqa.scene.spec import CameraSpec, Thing, Vec3
from hpvqa.sim.isaac import names
from hpvqa.sim.isaac.limits import check_things
from hpvqa.sim.isaac.look import linear
from hpvqa.sim.isaac.materials import FRICTION_MODE, PARTNER_FRICTION, PARTNER_RESTITUTION, RESTITUTION_MODE

THICKNESS = 0.1
"""Of walls, floor and ceiling [m]: no light of a neighbour gets through, nor through the overlapping corners."""
SPACING = 2 * (ROOM_HALF + THICKNESS) + 0.8
"""Distance of neighbouring environments [m]."""
FAR = 12.0
"""Far clipping distance [m]: beyond the room's longest diagonal."""
LAMP_RADIUS = 0.15
LAMP_INTENSITY = 60000.0
_GREY = (0.5, 0.5, 0.5)


def scenery() -> dict[str, AssetBaseCfg]:
    """Everything that never moves, by name."""
    height = (WALL_TOP - FLOOR_Z) / 2
    outer = ROOM_HALF + THICKNESS
    half = THICKNESS / 2
    found = {
        names.TABLE: _table(),
        names.FLOOR: _box((outer, outer, half), (0, 0, FLOOR_Z - half)),
        "ceiling": _box((outer, outer, half), (0, 0, WALL_TOP + half)),
        "stand": _box((STAND_HALF, STAND_HALF, -FLOOR_Z / 2), (*STAND, FLOOR_Z / 2), STEEL),
    }
    for number, (x, y) in enumerate(WALLS):
        size = (half if x else outer, half if y else outer, height)
        found[names.wall(number)] = _box(size, (x * (ROOM_HALF + half), y * (ROOM_HALF + half), FLOOR_Z + height))
    leg = -FLOOR_Z / 2 - TABLE_HALF[2]
    for number, place in enumerate(LEGS):
        found[f"leg_{number}"] = _box((LEG_HALF, LEG_HALF, leg), (*place, FLOOR_Z + leg), STEEL)
    for name, item in found.items():
        item.prim_path = f"{names.ENVIRONMENT}/{name}"
    found[names.LAMP] = AssetBaseCfg(
        prim_path=f"{names.ENVIRONMENT}/{names.LAMP}",
        spawn=sim_utils.SphereLightCfg(radius=LAMP_RADIUS, intensity=LAMP_INTENSITY),
        init_state=AssetBaseCfg.InitialStateCfg(pos=(0.0, 0.0, 2.0)),
    )
    return found


def rigid_object(thing: Thing) -> RigidObjectCfg:
    """A thing of this shape and size; its other properties are set at every reset."""
    check_things([thing])
    common: dict[str, Any] = {
        "rigid_props": sim_utils.RigidBodyPropertiesCfg(
            linear_damping=0.0,
            angular_damping=0.0,
            max_depenetration_velocity=1.0,
            solver_position_iteration_count=16,
            solver_velocity_iteration_count=1,
            # A thing that PhysX puts to sleep in the air of a bounce's apex would stay there.
            sleep_threshold=0.0,
            stabilization_threshold=0.0,
        ),
        "mass_props": sim_utils.MassPropertiesCfg(mass=thing.mass),
        "collision_props": sim_utils.CollisionPropertiesCfg(contact_offset=0.002, rest_offset=0.0),
        "physics_material": pair_material(thing.friction, thing.restitution),
        "visual_material": sim_utils.PreviewSurfaceCfg(diffuse_color=linear(thing.color), roughness=0.6),
        "visual_material_path": "look",
        "physics_material_path": "physics",
        "activate_contact_sensors": True,
    }
    spawn: Any
    if thing.shape == "box":
        spawn = sim_utils.CuboidCfg(size=thing.size, **common)
    else:
        spawn = sim_utils.SphereCfg(radius=thing.half_height, **common)
    return RigidObjectCfg(
        prim_path=f"{names.ENVIRONMENT}/{thing.name}",
        spawn=spawn,
        init_state=RigidObjectCfg.InitialStateCfg(pos=thing.position, rot=thing.quat_wxyz),
    )


def pair_material(friction: float, restitution: float) -> sim_utils.RigidBodyMaterialCfg:
    """A material that multiplies frictions and takes the larger restitution (``materials.py``)."""
    return sim_utils.RigidBodyMaterialCfg(
        static_friction=friction,
        dynamic_friction=friction,
        restitution=restitution,
        friction_combine_mode=FRICTION_MODE,
        restitution_combine_mode=RESTITUTION_MODE,
    )


def contact_sensor(body: str, others: Sequence[str], robot_bodies: list[str]) -> ContactSensorCfg:
    """Tells the forces between a thing and table (first column), the other things, and parts of the robot (last)."""
    sensed = [names.TABLE, *others, *(f"{names.ROBOT}/{path}" for path in robot_bodies)]
    return ContactSensorCfg(
        prim_path=f"{names.ENVIRONMENT}/{body}",
        update_period=0.0,
        filter_prim_paths_expr=[f"{names.ENVIRONMENT}/{other}" for other in sensed],
    )


def camera(item: CameraSpec, resolution: tuple[int, int]) -> TiledCameraCfg:
    """A camera of the rig in every environment."""
    width, height = resolution
    return TiledCameraCfg(
        prim_path=f"{names.ENVIRONMENT}/{names.camera(item.name)}",
        update_period=0.0,
        offset=TiledCameraCfg.OffsetCfg(pos=item.position, rot=item.quat_wxyz, convention="opengl"),
        data_types=["rgb"],
        spawn=sim_utils.PinholeCameraCfg(
            focal_length=item.focal_length,
            horizontal_aperture=HORIZONTAL_APERTURE,
            vertical_aperture=HORIZONTAL_APERTURE * height / width,
            clipping_range=(item.near, FAR),
        ),
        width=width,
        height=height,
    )


def _table() -> AssetBaseCfg:
    table = _box(TABLE_HALF, (*TABLE_CENTER, -TABLE_HALF[2]))
    # Kinematic, so that contact sensors can tell it from everything else.
    table.spawn.rigid_props = sim_utils.RigidBodyPropertiesCfg(kinematic_enabled=True)
    table.spawn.collision_props = sim_utils.CollisionPropertiesCfg(contact_offset=0.002, rest_offset=0.0)
    table.spawn.physics_material = pair_material(PARTNER_FRICTION, PARTNER_RESTITUTION)
    table.spawn.physics_material_path = "physics"
    return table


def _box(half: Vec3, place: Vec3, color: Vec3 = _GREY) -> AssetBaseCfg:
    return AssetBaseCfg(
        prim_path="",
        spawn=sim_utils.CuboidCfg(
            size=(2 * half[0], 2 * half[1], 2 * half[2]),
            visual_material=sim_utils.PreviewSurfaceCfg(diffuse_color=linear(color), roughness=0.8),
            visual_material_path="look",
        ),
        init_state=AssetBaseCfg.InitialStateCfg(pos=place),
    )
