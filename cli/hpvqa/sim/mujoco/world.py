"""Table, robot and things as one MuJoCo model, compiled for things of certain shapes and sizes.

Every episode then sets whatever else differs. Nothing of an earlier episode can remain, for each value that any spec
sets is set by every spec.
"""

from __future__ import annotations

from collections.abc import Sequence

import mujoco
import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.cover import boxes
from hpvqa.scene.room import FLOOR_Z, ROOM_HALF, TABLE_CENTER, TABLE_HALF
from hpvqa.scene.spec import Thing, Vec3
from hpvqa.scene.spring import BASE_HEIGHT, DAMPING, PLATE, PLATE_HEIGHT, PLATE_MASS, travel
from hpvqa.sim.inertia import inertia
from hpvqa.sim.mujoco.arm import Arm
from hpvqa.sim.mujoco.names import ROBOT, THING

Array = NDArray[np.float64]
Layout = tuple[tuple[object, ...], ...]

TIMESTEP = 1.0 / 1200.0
TABLE = "table"
_STIFF_CONTACT = (0.004, 1.0)
_ROLLING_FRICTION = (0.005, 0.0001)
_GEOMS = {
    "box": mujoco.mjtGeom.mjGEOM_BOX,
    "sphere": mujoco.mjtGeom.mjGEOM_SPHERE,
    "cylinder": mujoco.mjtGeom.mjGEOM_CYLINDER,
    "cover": mujoco.mjtGeom.mjGEOM_BOX,
}


def layout_of(things: Sequence[Thing]) -> Layout:
    """What of things is compiled into a model; all else is set for every episode."""
    return tuple((thing.name, thing.shape, thing.size, any(thing.center_of_mass)) for thing in things)


class World:
    """A compiled model with its data.

    Args:
        robot: The Panda with its gripper.
        things: What there is besides; others of the same layout may take their place.
    """

    def __init__(self, robot: mujoco.MjSpec, things: Sequence[Thing]) -> None:
        self.model = compiled(robot, things)
        self.data = mujoco.MjData(self.model)
        self.arm = Arm(self.model, self.data)
        model = self.model
        self.motors = np.array([model.actuator(f"{ROBOT}actuator{number}").id for number in range(1, 8)])
        self.fingers = model.actuator(f"{ROBOT}fingers_actuator").id
        drivers = [model.joint(f"{ROBOT}{side}_driver_joint") for side in ("left", "right")]
        self.drivers = np.array([joint.qposadr[0] for joint in drivers])
        self.gravity = -float(model.opt.gravity[2])
        self.qpos = {thing.name: int(model.joint(THING + thing.name).qposadr[0]) for thing in things}
        self.qvel = {thing.name: int(model.joint(THING + thing.name).dofadr[0]) for thing in things}
        self._springs: dict[str, Thing] = {}
        self._kinds, self._own_kinds, self._table_kind, self._robot_kind = self._find_kinds(things)

    def _find_kinds(self, things: Sequence[Thing]) -> tuple[NDArray[np.int64], dict[str, int], int, int]:
        """For every geom what it belongs to, as powers of two, so that a sum of two kinds tells which ones touch."""
        model = self.model
        own = {thing.name: 2**number for number, thing in enumerate(things)}
        table, robot = 2 ** len(things), 2 ** (len(things) + 1)
        kinds = np.zeros(model.ngeom, np.int64)
        kinds[model.body_rootid[model.geom_bodyid] == model.body(f"{ROBOT}link0").id] = robot
        kinds[model.geom(TABLE).id] = table
        for name, kind in own.items():
            kinds[model.body_rootid[model.geom_bodyid] == model.body(THING + name).id] = kind
        return kinds, own, table, robot

    def apply(self, things: Sequence[Thing]) -> None:
        """Write everything that differs between things of one layout into the model. Poses belong to the state."""
        write_properties(self.model, self.data, things)
        self._springs = {thing.name: thing for thing in things if thing.shape == "spring"}

    def place(self, things: Sequence[Thing]) -> None:
        """Put things at rest where they start."""
        for thing in things:
            start, speed = self.qpos[thing.name], self.qvel[thing.name]
            if thing.shape == "spring":
                self.data.qpos[start] = self.data.qvel[speed] = 0.0
                continue
            self.data.qpos[start : start + 7] = (*thing.position, *thing.quat_wxyz)
            self.data.qvel[speed : speed + 6] = 0.0

    def motion(self, name: str) -> tuple[Array, Array, Array]:
        """Position, orientation and velocity of what can move of a thing; a spring goes down with its plate."""
        start, speed = self.qpos[name], self.qvel[name]
        if name in self._springs:
            spring, up = self._springs[name], np.array([0.0, 0.0, 1.0])
            return (
                np.array(spring.position) + self.data.qpos[start] * up,
                np.array(spring.quat_wxyz),
                self.data.qvel[speed] * up,
            )
        qpos = self.data.qpos[start : start + 7]
        return qpos[:3].copy(), qpos[3:].copy(), self.data.qvel[speed : speed + 3].copy()

    def contacts(self) -> set[int]:
        """The kinds of geoms that touch each other, as sums of two kinds."""
        kinds = self._kinds[self.data.contact.geom]
        return set((kinds[:, 0] + kinds[:, 1]).tolist())

    def touches(self, name: str, contacts: set[int]) -> tuple[bool, bool]:
        """Whether a thing touches the robot, and the table."""
        own = self._own_kinds[name]
        return own + self._robot_kind in contacts, own + self._table_kind in contacts


def write_properties(model: mujoco.MjModel, data: mujoco.MjData, things: Sequence[Thing]) -> None:
    """Write mass, where it lies, and friction of things into a model of their layout."""
    for thing in things:
        if thing.stiffness is not None:
            model.body(THING + thing.name).pos = thing.position
            model.body(THING + thing.name).quat = thing.quat_wxyz
            model.jnt_stiffness[model.joint(THING + thing.name).id] = thing.stiffness
            for part in ("", PLATE):
                model.geom(THING + thing.name + part).friction = (thing.friction, *_ROLLING_FRICTION)
            continue
        body = model.body(THING + thing.name)
        for part in boxes(thing) if thing.shape == "cover" else ("",):
            model.geom(THING + thing.name + part).friction = (thing.friction, *_ROLLING_FRICTION)
        body.mass = thing.mass
        body.inertia = inertia(thing)
        body.ipos = thing.center_of_mass
    mujoco.mj_setConst(model, data)


def compiled(robot: mujoco.MjSpec, things: Sequence[Thing]) -> mujoco.MjModel:
    """A model of floor, table, things and a robot."""
    spec = mujoco.MjSpec()
    spec.modelname = "hpvqa"
    spec.option.timestep = TIMESTEP
    spec.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    # Elliptic cones with a high impedance ratio keep friction from creeping: pushed cubes stay where they stop.
    spec.option.cone = mujoco.mjtCone.mjCONE_ELLIPTIC
    spec.option.impratio = 10
    add_scene(spec, things)
    spec.attach(robot, prefix=ROBOT, frame=spec.worldbody.add_frame())
    return spec.compile()


def add_scene(spec: mujoco.MjSpec, things: Sequence[Thing]) -> None:
    """Add floor, table and things."""
    world = spec.worldbody
    plane, box = mujoco.mjtGeom.mjGEOM_PLANE, mujoco.mjtGeom.mjGEOM_BOX
    world.add_geom(name="floor", type=plane, size=[ROOM_HALF, ROOM_HALF, 0.1], pos=[0, 0, FLOOR_Z])
    world.add_geom(name=TABLE, type=box, size=TABLE_HALF, pos=[*TABLE_CENTER, -TABLE_HALF[2]])
    for thing in things:
        _add(spec, thing)


def _add_spring(spec: mujoco.MjSpec, thing: Thing) -> None:
    name, box = THING + thing.name, mujoco.mjtGeom.mjGEOM_BOX
    across, along = thing.size[0] / 2, thing.size[1] / 2
    common = {"type": box, "priority": 2, "condim": 4, "solref": _STIFF_CONTACT}
    base = spec.worldbody.add_body(name=name, pos=thing.position)
    low = BASE_HEIGHT / 2 - thing.half_height
    base.add_geom(name=name, size=[across, along, BASE_HEIGHT / 2], pos=[0, 0, low], **common)
    plate = base.add_body(name=name + PLATE, gravcomp=1)
    plate.add_joint(
        name=name,
        type=mujoco.mjtJoint.mjJNT_SLIDE,
        axis=[0, 0, 1],
        range=[-travel(thing), 0.0],
        limited=mujoco.mjtLimited.mjLIMITED_TRUE,
        stiffness=thing.stiffness,
        damping=DAMPING,
        solref_limit=_STIFF_CONTACT,
    )
    high = thing.half_height - PLATE_HEIGHT / 2
    size = [across, along, PLATE_HEIGHT / 2]
    plate.add_geom(name=name + PLATE, size=size, pos=[0, 0, high], mass=PLATE_MASS, **common)


def _add(spec: mujoco.MjSpec, thing: Thing) -> None:
    if thing.shape == "spring":
        _add_spring(spec, thing)
        return
    body = spec.worldbody.add_body(name=THING + thing.name)
    body.add_freejoint(name=THING + thing.name)
    if any(thing.center_of_mass) or thing.shape == "cover":
        body.explicitinertial = True
        body.mass, body.ipos, body.inertia = thing.mass, thing.center_of_mass, inertia(thing)
    whole = {"": ((0.0, 0.0, 0.0), _half_size(thing))}
    for part, (middle, half) in (boxes(thing) if thing.shape == "cover" else whole).items():
        # Its friction is the pair's, whatever it touches: the highest priority wins, the gripper's pads have 1.
        body.add_geom(
            name=THING + thing.name + part,
            type=_GEOMS[thing.shape],
            pos=middle,
            size=half,
            mass=thing.mass,
            priority=2,
            condim=6 if thing.shape == "sphere" else 4,
            solref=_STIFF_CONTACT,
        )


def _half_size(thing: Thing) -> Vec3:
    """A geom's size as MuJoCo counts it."""
    x, y, z = (side / 2 for side in thing.size)
    sizes: dict[str, Vec3] = {"sphere": (x, 0.0, 0.0), "cylinder": (x, z, 0.0)}
    return sizes.get(thing.shape, (x, y, z))
