"""The room, table, robot and two objects as one MuJoCo model, and how a spec is written into it.

The model is compiled once; every episode then sets whatever differs. Nothing of an earlier episode can remain, for each
value that any spec sets is set by every spec.
"""

from __future__ import annotations

import mujoco
import numpy as np

from hpvqa.errors import UsageError
from hpvqa.scene.camera import fovy
from hpvqa.scene.spec import SIDES, Color, EpisodeSpec, ObjectSpec, Side
from hpvqa.sim.room import (
    AIM,
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

MAX_CAMERAS = 16
ROBOT = "robot/"
"""Prefix of every name in the robot's model."""

_STIFF_CONTACT = (0.004, 1.0)
_ROLLING_FRICTION = (0.005, 0.0001)
_FILL = ((0.7, -0.5, -0.5), (-0.7, 0.5, -0.5))
_AIM = np.array(AIM)


def build_model(robot: mujoco.MjSpec, timestep: float, resolution: tuple[int, int] | None) -> mujoco.MjModel:
    """Compile the world.

    Args:
        robot: The Panda with its gripper.
        timestep: Length of a physics step [s].
        resolution: Width and height of images [pixels]; None if nothing is ever rendered.
    """
    spec = mujoco.MjSpec()
    spec.modelname = "hpvqa"
    spec.option.timestep = timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Elliptic cones with a high impedance ratio keep friction from creeping: pushed cubes stay where they stop.
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    _set_visual_quality(spec, resolution)
    _add_room(spec.worldbody, spec)
    for side in SIDES:
        _add_object(spec, side)
    for number in range(MAX_CAMERAS):
        spec.worldbody.add_camera(name=f"camera{number}")
    spec.attach(robot, prefix=ROBOT, frame=spec.worldbody.add_frame())
    return spec.compile()


def _set_visual_quality(spec: mujoco.MjSpec, resolution: tuple[int, int] | None) -> None:
    if resolution is not None:
        spec.visual.global_.offwidth, spec.visual.global_.offheight = resolution
    # On a CPU, geometry passes and multisampling are what costs; one shadow map of this size looks the same.
    spec.visual.quality.shadowsize = 1024
    spec.visual.quality.offsamples = 0
    # The headlight gives ambient light only: anything more would light every view differently.
    spec.visual.headlight.ambient = [0.45, 0.45, 0.45]
    spec.visual.headlight.diffuse = [0.0, 0.0, 0.0]
    spec.visual.headlight.specular = [0.0, 0.0, 0.0]
    spec.stat.extent = 1.0
    spec.stat.center = _AIM
    spec.visual.map.znear = 0.01
    spec.visual.map.zfar = 12.0


def _add_room(world: mujoco.MjsBody, spec: mujoco.MjSpec) -> None:
    box, plane = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_PLANE
    for name in ("table", "floor", *(f"wall{i}" for i in range(4)), *SIDES):
        spec.add_material(name=name, specular=0.2, shininess=0.3)
    spec.add_material(name="steel", rgba=[*STEEL, 1], specular=0.4, shininess=0.5)
    scenery = {"contype": 0, "conaffinity": 0}
    world.add_geom(
        name="floor", type=plane, size=[ROOM_HALF, ROOM_HALF, 0.1], pos=[0, 0, FLOOR_Z], material="floor", castshadow=0
    )
    world.add_geom(name="table", type=box, size=TABLE_HALF, pos=[*TABLE_CENTER, -TABLE_HALF[2]], material="table")
    leg = -FLOOR_Z / 2 - TABLE_HALF[2]
    for x, y in LEGS:
        world.add_geom(type=box, size=[LEG_HALF, LEG_HALF, leg], pos=[x, y, FLOOR_Z + leg], material="steel", **scenery)
    stand = -FLOOR_Z / 2
    world.add_geom(type=box, size=[STAND_HALF, STAND_HALF, stand], pos=[*STAND, -stand], material="steel", **scenery)
    height = (WALL_TOP - FLOOR_Z) / 2
    for number, (x, y) in enumerate(WALLS):
        world.add_geom(
            name=f"wall{number}",
            type=box,
            size=[0.05 if x else ROOM_HALF, 0.05 if y else ROOM_HALF, height],
            pos=[x * (ROOM_HALF + 0.05), y * (ROOM_HALF + 0.05), FLOOR_Z + height],
            material=f"wall{number}",
            castshadow=0,
            **scenery,
        )
    world.add_light(
        name="lamp",
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        cutoff=45,
        exponent=1,
        attenuation=[1, 0, 0],
        ambient=[0, 0, 0],
        diffuse=[0.45, 0.45, 0.43],
        specular=[0.2, 0.2, 0.2],
        castshadow=True,
    )
    # Light that walls would throw back: faint, from two sides, without shadows.
    for direction in _FILL:
        world.add_light(
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            dir=direction,
            ambient=[0, 0, 0],
            diffuse=[0.22, 0.22, 0.22],
            specular=[0, 0, 0],
            castshadow=False,
        )


def _add_object(spec: mujoco.MjSpec, side: Side) -> None:
    body = spec.worldbody.add_body(name=side)
    body.add_freejoint(name=side)
    # Its friction is the pair's, whatever it touches: the highest priority wins, the gripper's pads have 1.
    body.add_geom(
        name=side,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[0.025] * 3,
        mass=1,
        material=side,
        priority=2,
        condim=6,
        solref=_STIFF_CONTACT,
    )


def apply_spec(model: mujoco.MjModel, spec: EpisodeSpec, resolution: tuple[int, int] | None) -> None:
    """Write everything that differs between episodes into the model. Poses of free bodies belong to the state."""
    for side in SIDES:
        _apply_object(model, side, spec.object(side))
    colors: dict[str, Color] = {"table": spec.room.table, "floor": spec.room.floor}
    colors |= {f"wall{number}": color for number, color in enumerate(spec.room.walls)}
    colors |= {side: spec.object(side).color for side in SIDES}
    for name, color in colors.items():
        model.mat(name).rgba = (*color, 1.0)
    lamp = np.array(spec.light.position)
    model.light("lamp").pos = lamp
    model.light("lamp").dir = (_AIM - lamp) / np.linalg.norm(_AIM - lamp)
    _apply_cameras(model, spec, resolution or (4, 3))


def _apply_object(model: mujoco.MjModel, side: Side, item: ObjectSpec) -> None:
    geom, body = model.geom(side), model.body(side)
    cube = item.shape == "cube"
    geom.type = mujoco.mjtGeom.mjGEOM_BOX if cube else mujoco.mjtGeom.mjGEOM_SPHERE
    geom.size = [item.size] * 3 if cube else [item.size, 0, 0]
    geom.rbound = item.size * (3**0.5 if cube else 1)
    bounds = [0, 0, 0, item.size, item.size, item.size]
    model.geom_aabb[geom.id] = bounds
    model.bvh_aabb[model.body_bvhadr[body.id]] = bounds
    geom.friction = (item.friction, *_ROLLING_FRICTION)
    geom.condim = 4 if cube else 6
    body.mass = item.mass
    # A solid cube: m (2a)² / 6; a solid sphere: 2/5 m r².
    body.inertia = [item.mass * item.size**2 * (2 / 3 if cube else 2 / 5)] * 3


def _apply_cameras(model: mujoco.MjModel, spec: EpisodeSpec, resolution: tuple[int, int]) -> None:
    if len(spec.cameras) > MAX_CAMERAS:
        raise UsageError(f"The rig {spec.rig!r} has {len(spec.cameras)} cameras; at most {MAX_CAMERAS} are possible")
    for number, camera in enumerate(spec.cameras):
        slot = model.cam(number)
        slot.pos = camera.position
        slot.quat = np.array(camera.quat_wxyz) / np.linalg.norm(camera.quat_wxyz)
        slot.fovy = np.degrees(fovy(camera.focal_length, *resolution))
    # One near plane serves all cameras: the nearest. It is given in units of the extent, which is 1 m.
    model.vis.map.znear = min(camera.near for camera in spec.cameras)
