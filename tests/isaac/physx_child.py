"""Spheres and cubes in the PhysX of the ``ovphysx`` wheel: a request in, their paths out, as JSON.

Runs in a Python of its own, for that wheel is proprietary and large: this file needs ``ovphysx``,
``physx-usd-schemas`` and the numpy that they bring, nothing of this project. Materials, solver and contacts are set as
in ``cli/hpvqa/sim/isaac/spawn.py`` and ``environment.py``, but on the CPU.

Request:
    timestep: Length of a step [s].
    steps: How many.
    objects: For each its shape (cube or sphere), half edge or radius ``size`` [m], ``mass`` [kg], ``friction``,
        ``restitution`` and ``position`` [m]; they lie beside each other on one table whose top is z = 0.
    pusher: None, or a box behind every object that moves along x only, led by a spring and a damper: ``half`` [m],
        ``offset`` from the object along x [m], ``mass`` [kg], ``stiffness`` [N/m], ``damping`` [N s/m] and for each
        step a ``command``, the box's way from its start [m] and its speed [m/s].

Answer: ``positions``, for every object its centre before the first and after every step [m]; ``version`` of ovphysx.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import ovphysx
import ovstage
from ovphysx.samples.python_samples.schema_support import physx_schema_paths
from ovphysx.types import SimObjectType

_SCENE = """#usda 1.0
(
    defaultPrim = "World"
    metersPerUnit = 1
    kilogramsPerUnit = 1
    upAxis = "Z"
)
def Xform "World"
{
    def PhysicsScene "scene" (prepend apiSchemas = ["PhysxSceneAPI"])
    {
        vector3f physics:gravityDirection = (0, 0, -1)
        float physics:gravityMagnitude = 9.81
        uniform token physxScene:solverType = "TGS"
        float physxScene:bounceThreshold = 0.1
        bool physxScene:enableEnhancedDeterminism = 1
        bool physxScene:enableExternalForcesEveryIteration = 0
        bool physxScene:enableGPUDynamics = 0
        uniform token physxScene:broadphaseType = "MBP"
    }
"""
_MATERIAL = """
    def Material "{name}_physics" (prepend apiSchemas = ["PhysicsMaterialAPI", "PhysxMaterialAPI"])
    {{
        float physics:staticFriction = {friction}
        float physics:dynamicFriction = {friction}
        float physics:restitution = {restitution}
        uniform token physxMaterial:frictionCombineMode = "{friction_mode}"
        uniform token physxMaterial:restitutionCombineMode = "{restitution_mode}"
    }}
"""
_BODY = """
    def {kind} "{name}" (
        prepend apiSchemas = ["PhysicsRigidBodyAPI", "PhysxRigidBodyAPI", "PhysicsMassAPI", "PhysicsCollisionAPI",
            "PhysxCollisionAPI", "MaterialBindingAPI"]
    )
    {{
        {unit}
        double3 xformOp:translate = ({position[0]}, {position[1]}, {position[2]})
        double3 xformOp:scale = ({scale[0]}, {scale[1]}, {scale[2]})
        uniform token[] xformOpOrder = ["xformOp:translate", "xformOp:scale"]
        bool physics:kinematicEnabled = {kinematic}
        float physics:mass = {mass}
        float physxRigidBody:linearDamping = 0
        float physxRigidBody:angularDamping = 0
        float physxRigidBody:maxDepenetrationVelocity = 1
        int physxRigidBody:solverPositionIterationCount = 16
        int physxRigidBody:solverVelocityIterationCount = 1
        float physxRigidBody:sleepThreshold = 0
        float physxRigidBody:stabilizationThreshold = 0
        bool physxRigidBody:disableGravity = {weightless}
        int physxRigidBody:lockedPosAxis = {locked_position}
        int physxRigidBody:lockedRotAxis = {locked_rotation}
        float physxCollision:contactOffset = 0.002
        float physxCollision:restOffset = 0
        rel material:binding:physics = </World/{name}_physics>
    }}
"""
_ALL_AXES, _Y_AND_Z = 7, 6
"""Sums of bits: x 1, y 2, z 4."""


def scene(request: dict[str, Any]) -> str:
    """The whole stage as USD text."""
    width = max(abs(item["position"][1]) for item in request["objects"]) + 1.0
    table = {"position": (0.0, 0.0, -0.01), "scale": (10.0, width, 0.01), "mass": 1.0}
    text = _SCENE + _surface("table", 1.0, 0.0) + _body("Cube", "table", table, kinematic=1)
    for number, item in enumerate(request["objects"]):
        name, kind = f"object_{number}", item["shape"].capitalize()
        text += _surface(name, item["friction"], item["restitution"], "multiply", "max")
        text += _body(kind, name, {**item, "scale": (item["size"],) * 3})
        if request["pusher"]:
            x, y, z = item["position"]
            pusher = {"position": (x + request["pusher"]["offset"], y, z), "scale": request["pusher"]["half"]}
            name = f"pusher_{number}"
            text += _surface(name, 1.0, 0.0)
            text += _body(
                "Cube",
                name,
                {**pusher, "mass": request["pusher"]["mass"]},
                weightless=1,
                locked_position=_Y_AND_Z,
                locked_rotation=_ALL_AXES,
            )
    return text + "}\n"


def _surface(name: str, friction: float, restitution: float, *modes: str) -> str:
    friction_mode, restitution_mode = modes or ("average", "average")
    return _MATERIAL.format(
        name=name,
        friction=friction,
        restitution=restitution,
        friction_mode=friction_mode,
        restitution_mode=restitution_mode,
    )


def _body(kind: str, name: str, item: dict[str, Any], **flags: int) -> str:
    defaults = {"kinematic": 0, "weightless": 0, "locked_position": 0, "locked_rotation": 0}
    unit = "double size = 2" if kind == "Cube" else "double radius = 1"
    return _BODY.format(kind=kind, name=name, unit=unit, **{**item, **defaults, **flags})


class World:
    """A scene in PhysX.

    Args:
        usd: Path of the stage.
    """

    def __init__(self, usd: Path) -> None:
        ovphysx.PhysX.set_cpu_mode(True)
        self._physx = ovphysx.PhysX()
        ovstage.population.register_usd_schemas([str(path) for path in physx_schema_paths()])
        self._stage = ovstage.Stage("hpvqa")
        ovstage.population.open_usd(self._stage, str(usd), ordinal=1, domains=ovstage.PopulationDomain.ALL)
        self._stage.advance_write_floor(ordinal=1).wait()
        self._physx.wait_task(self._physx.attach_ovstage(self._stage, read_ordinal=1))
        self._paths = ovstage.PathDictionary(self._stage)

    def read(self, attribute: str, prefix: str, count: int) -> np.ndarray[Any, Any]:
        """A vector of each of the bodies whose names are ``prefix`` and a number, shape (count, 3)."""
        values = np.full((count, 3), np.nan)
        with self._physx.read_sync(SimObjectType.RIGID_BODY, [attribute]) as result:
            for group in result.groups:
                rows = group.tensors[0].numpy()
                for row, number in self._numbers(group.prim_list, prefix):
                    values[number] = rows[row]
        assert np.isfinite(values).all(), f"PhysX tells no {attribute} of some {prefix}"
        return values

    def push(self, forces: np.ndarray[Any, Any], prefix: str) -> None:
        """Forces along x for the next step, shape (count,) [N]."""
        with self._physx.write_sync(SimObjectType.RIGID_BODY, ["force"], pattern=f"/World/{prefix}*") as session:
            for group in session.groups:
                rows = np.zeros(group.tensors[0].shape, np.float32)
                for row, number in self._numbers(group.prim_list, prefix):
                    rows[row, 0] = forces[number]
                group.tensors[0].assign(rows)
                session.commit_sync(group)

    def step(self, timestep: float) -> None:
        """Advance by ``timestep`` [s]."""
        self._physx.step_sync(timestep)

    def _numbers(self, prim_list: int, prefix: str) -> list[tuple[int, int]]:
        names = [path.rsplit("/", 1)[1] for path in self._paths.get_path_strings(prim_list)]
        return [(row, int(name.removeprefix(prefix))) for row, name in enumerate(names) if name.startswith(prefix)]


def simulate(request: dict[str, Any], folder: Path) -> np.ndarray[Any, Any]:
    """Centres of all objects before the first and after every step, shape (objects, steps + 1, 3) [m]."""
    usd = folder / "scene.usda"
    usd.write_text(scene(request))
    world = World(usd)
    count, pusher = len(request["objects"]), request["pusher"]
    positions = [world.read("position", "object_", count)]
    start = world.read("position", "pusher_", count) if pusher else None
    for number in range(request["steps"]):
        if pusher:
            way, speed = pusher["command"][number]
            gone = (world.read("position", "pusher_", count) - start)[:, 0]
            velocity = world.read("linearVelocity", "pusher_", count)[:, 0]
            world.push(pusher["stiffness"] * (way - gone) + pusher["damping"] * (speed - velocity), "pusher_")
        world.step(request["timestep"])
        positions.append(world.read("position", "object_", count))
    return np.array(positions).swapaxes(0, 1)


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as name:
        answer = simulate(json.load(sys.stdin), Path(name))
    # PhysX's libraries log to standard output too: ours is the last line.
    print("\n" + json.dumps({"positions": answer.tolist(), "version": ovphysx.__version__}))
