"""Table, robot and two objects as one MuJoCo model, and how a spec is written into it.

The model is compiled once; every episode then sets whatever differs. Nothing of an earlier episode can remain, for each
value that any spec sets is set by every spec.
"""

from __future__ import annotations

import mujoco

from hpvqa.scene.spec import SIDES, EpisodeSpec, ObjectSpec, Side
from hpvqa.sim.room import FLOOR_Z, ROOM_HALF, TABLE_CENTER, TABLE_HALF

ROBOT = "robot/"
"""Prefix of every name in the robot's model."""

_STIFF_CONTACT = (0.004, 1.0)
_ROLLING_FRICTION = (0.005, 0.0001)


def build_model(robot: mujoco.MjSpec, timestep: float) -> mujoco.MjModel:
    """Compile the world.

    Args:
        robot: The Panda with its gripper.
        timestep: Length of a physics step [s].
    """
    spec = mujoco.MjSpec()
    spec.modelname = "hpvqa"
    spec.option.timestep = timestep
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Elliptic cones with a high impedance ratio keep friction from creeping: pushed cubes stay where they stop.
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    add_things(spec)
    spec.attach(robot, prefix=ROBOT, frame=spec.worldbody.add_frame())
    return spec.compile()


def add_things(spec: mujoco.MjSpec) -> None:
    """Add floor, table and both objects, for a spec to be written into."""
    box, plane = mujoco.mjtGeom.mjGEOM_BOX, mujoco.mjtGeom.mjGEOM_PLANE
    world = spec.worldbody
    world.add_geom(name="floor", type=plane, size=[ROOM_HALF, ROOM_HALF, 0.1], pos=[0, 0, FLOOR_Z])
    world.add_geom(name="table", type=box, size=TABLE_HALF, pos=[*TABLE_CENTER, -TABLE_HALF[2]])
    for side in SIDES:
        _add_object(spec, side)


def _add_object(spec: mujoco.MjSpec, side: Side) -> None:
    body = spec.worldbody.add_body(name=side)
    body.add_freejoint(name=side)
    # Its friction is the pair's, whatever it touches: the highest priority wins, the gripper's pads have 1.
    body.add_geom(
        name=side,
        type=mujoco.mjtGeom.mjGEOM_BOX,
        size=[0.025] * 3,
        mass=1,
        priority=2,
        condim=6,
        solref=_STIFF_CONTACT,
    )


def apply_spec(model: mujoco.MjModel, spec: EpisodeSpec) -> None:
    """Write everything that differs between episodes into the model. Poses of free bodies belong to the state."""
    for side in SIDES:
        _apply_object(model, side, spec.object(side))


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
