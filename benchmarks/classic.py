"""The same scene drawn by MuJoCo's own renderer, as a user of plain MuJoCo would: what ours is measured against.

Its settings are those that hpvqa used before it had a renderer: one shadow map, no antialiasing, and meshes as light as
ours are at their finest.
"""

from __future__ import annotations

from pathlib import Path

import mujoco
import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.camera import fovy
from hpvqa.scene.room import AIM, FLOOR_Z, ROOM_HALF, STEEL, WALL_TOP, WALLS
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.sim.mujoco.names import ROBOT, THING
from hpvqa.sim.mujoco.robot import bare_robot, robot_parts
from hpvqa.sim.mujoco.world import TIMESTEP, add_scene
from hpvqa.sim.render.context import open_context
from hpvqa.sim.render.still import boxes

_FILL = ((0.7, -0.5, -0.5), (-0.7, 0.5, -0.5))


class Classic:
    """A MuJoCo model with everything that can be seen, and a renderer of it.

    Args:
        spec: The episode.
        robot_xml: The Panda with its gripper.
        cache: Folder of simplified meshes.
        resolution: Width and height [pixels].
        gl: Which OpenGL draws.
    """

    def __init__(self, spec: EpisodeSpec, robot_xml: Path, cache: Path, resolution: tuple[int, int], gl: str) -> None:
        self.model = _model(spec, robot_xml, cache, resolution)
        self.data = mujoco.MjData(self.model)
        self._rect = mujoco.MjrRect(0, 0, *resolution)
        self._pixels: NDArray[np.uint8] = np.empty((resolution[1], resolution[0], 3), np.uint8)
        self._scene = mujoco.MjvScene(self.model, maxgeom=400)
        self._option, self._camera = mujoco.MjvOption(), mujoco.MjvCamera()
        self._camera.type, self._camera.fixedcamid = mujoco.mjtCamera.mjCAMERA_FIXED, 0
        self._gl = open_context(gl, *resolution)
        self._context = mujoco.MjrContext(self.model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)

    def draw(self) -> NDArray[np.uint8]:
        """Draw all cameras once; the picture of the last one, shape (height, width, 3)."""
        self._gl.make_current()
        mujoco.mjv_updateScene(
            self.model, self.data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )
        for camera in range(self.model.ncam):
            self._camera.fixedcamid = camera
            mujoco.mjv_updateCamera(self.model, self.data, self._camera, self._scene)
            mujoco.mjr_render(self._rect, self._scene, self._context)
            mujoco.mjr_readPixels(self._pixels, None, self._rect, self._context)
        return self._pixels[::-1]

    def close(self) -> None:
        """Free the context and everything in it."""
        self._gl.make_current()
        self._context.free()
        self._gl.free()


def _model(spec: EpisodeSpec, robot_xml: Path, cache: Path, resolution: tuple[int, int]) -> mujoco.MjModel:
    world = mujoco.MjSpec()
    world.option.timestep = TIMESTEP
    world.option.integrator = mujoco.mjtIntegrator.mjINT_IMPLICITFAST
    world.option.cone, world.option.impratio = mujoco.mjtCone.mjCONE_ELLIPTIC, 10
    world.visual.global_.offwidth, world.visual.global_.offheight = resolution
    world.visual.quality.shadowsize, world.visual.quality.offsamples = 1024, 0
    world.visual.headlight.ambient, world.visual.headlight.diffuse = [0.45] * 3, [0.0] * 3
    world.visual.headlight.specular = [0.0] * 3
    world.stat.extent, world.stat.center = 1.0, AIM
    world.visual.map.znear, world.visual.map.zfar = min(camera.near for camera in spec.cameras), 12.0
    add_scene(world, spec.things)
    world.geom("floor").rgba = (*spec.room.floor, 1)
    world.geom("floor").castshadow = 0
    world.geom("table").rgba = (*spec.room.table, 1)
    for thing in spec.things:
        world.geom(THING + thing.name).rgba = (*thing.color, 1)
    _add_scenery(world, spec)
    for camera in spec.cameras:
        angle = float(np.degrees(fovy(camera.focal_length, *resolution)))
        world.worldbody.add_camera(name=camera.name, pos=camera.position, quat=camera.quat_wxyz, fovy=angle)
    robot = bare_robot(robot_xml)
    for number, seen in enumerate(robot_parts(robot_xml, cache, 1)):
        mesh = robot.add_mesh(name=f"visual{number}", inertia=mujoco.mjtMeshInertia.mjMESH_INERTIA_SHELL)
        mesh.uservert, mesh.userface = seen.part.levels[0].points.ravel(), seen.part.levels[0].faces.ravel()
        robot.body(seen.body).add_geom(
            type=mujoco.mjtGeom.mjGEOM_MESH,
            meshname=mesh.name,
            group=2,
            contype=0,
            conaffinity=0,
            mass=0,
            rgba=(*seen.part.color, 1),
        )
    world.attach(robot, prefix=ROBOT, frame=world.worldbody.add_frame())
    return world.compile()


def _add_scenery(world: mujoco.MjSpec, spec: EpisodeSpec) -> None:
    box, ghost = mujoco.mjtGeom.mjGEOM_BOX, {"contype": 0, "conaffinity": 0}
    for low, high in boxes()[1:]:
        world.worldbody.add_geom(type=box, size=(high - low) / 2, pos=(low + high) / 2, rgba=(*STEEL, 1), **ghost)
    height = (WALL_TOP - FLOOR_Z) / 2
    for (x, y), color in zip(WALLS, spec.room.walls, strict=True):
        world.worldbody.add_geom(
            type=box,
            size=[0.05 if x else ROOM_HALF, 0.05 if y else ROOM_HALF, height],
            pos=[x * (ROOM_HALF + 0.05), y * (ROOM_HALF + 0.05), FLOOR_Z + height],
            rgba=(*color, 1),
            castshadow=0,
            **ghost,
        )
    lamp = np.array(spec.light.position)
    world.worldbody.add_light(
        type=mujoco.mjtLightType.mjLIGHT_SPOT,
        pos=lamp,
        dir=(np.array(AIM) - lamp) / np.linalg.norm(np.array(AIM) - lamp),
        cutoff=45,
        exponent=1,
        attenuation=[1, 0, 0],
        ambient=[0] * 3,
        diffuse=[0.45, 0.45, 0.43],
        specular=[0.2] * 3,
        castshadow=True,
    )
    for direction in _FILL:
        world.worldbody.add_light(
            type=mujoco.mjtLightType.mjLIGHT_DIRECTIONAL,
            dir=direction,
            ambient=[0] * 3,
            diffuse=[0.22] * 3,
            specular=[0] * 3,
            castshadow=False,
        )
