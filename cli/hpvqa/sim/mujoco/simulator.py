"""The embedded simulator: episode specs realised by MuJoCo."""

from __future__ import annotations

import platform
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import mujoco
import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.spec import SIDES, CameraSpec, EpisodeSpec, ObjectSpec, Side
from hpvqa.sim.mujoco.arm import Arm
from hpvqa.sim.mujoco.impact import Bounce, bounce
from hpvqa.sim.mujoco.robot import bare_robot, robot_parts
from hpvqa.sim.mujoco.world import ROBOT, apply_spec, build_model
from hpvqa.sim.protocol import BodyState, Command, Impact, State
from hpvqa.sim.render import VERSION
from hpvqa.sim.render.context import open_context
from hpvqa.sim.render.parts import thing
from hpvqa.sim.room import TABLE_CENTER, TABLE_HALF

if TYPE_CHECKING:
    from hpvqa.sim.render.renderer import Renderer

TIMESTEP = 1.0 / 1200.0
_CLOSED_ANGLE = 0.8
"""The gripper's driver joint when fully closed [rad]."""
_CLOSE_SIGNAL = 255.0
_SETTLE_STEPS = 240
"""Steps before an episode begins in which the gripper reaches the commanded opening; nothing of them is recorded."""
_SIDE_KINDS = {"left": 1, "right": 2}
ROBOT_LABEL = 1
LABELS: dict[Side, int] = {"left": 2, "right": 3}
"""What a segmentation calls the robot and the objects."""
_TABLE_KIND, _ROBOT_KIND = 4, 8
"""Powers of two, so that the sum of two kinds tells which ones touch."""


class MujocoSimulator:
    """A :class:`hpvqa.sim.protocol.Simulator` without a GPU.

    Args:
        robot_xml: The Panda with its gripper.
        cache: Folder for simplified meshes.
        resolution: Width and height of images [pixels]; None if nothing is ever rendered.
        gl: Which OpenGL draws them: egl, osmesa or glfw.
    """

    name = "mujoco"
    timestep = TIMESTEP

    def __init__(self, robot_xml: Path, cache: Path, resolution: tuple[int, int] | None, gl: str = "egl") -> None:
        self._resolution = resolution
        self._gl = gl
        self._meshes = robot_xml, cache
        self._model = build_model(bare_robot(robot_xml), TIMESTEP)
        self._data = mujoco.MjData(self._model)
        self._arm = Arm(self._model, self._data)
        self._renderer: Renderer | None = None
        self._rendered_step = -1
        self._cameras: dict[str, CameraSpec] = {}
        self._spec: EpisodeSpec | None = None
        self._drawn: EpisodeSpec | None = None
        self._seen_bodies = np.zeros(0, np.int64)
        self._objects: dict[Side, ObjectSpec] = {}
        self._spheres: tuple[Side, ...] = ()
        self._step = 0
        self._impacts: tuple[Impact, ...] = ()

        model = self._model
        self._motors = np.array([model.actuator(f"{ROBOT}actuator{number}").id for number in range(1, 8)])
        self._fingers = model.actuator(f"{ROBOT}fingers_actuator").id
        drivers = [model.joint(f"{ROBOT}{side}_driver_joint") for side in SIDES]
        self._drivers = np.array([joint.qposadr[0] for joint in drivers])
        self._qpos = {side: int(model.joint(side).qposadr[0]) for side in SIDES}
        self._qvel = {side: int(model.joint(side).dofadr[0]) for side in SIDES}
        self._gravity = -float(model.opt.gravity[2])
        self._kinds = np.zeros(model.ngeom, np.int64)
        self._kinds[model.body_rootid[model.geom_bodyid] == model.body(f"{ROBOT}link0").id] = _ROBOT_KIND
        self._kinds[model.geom("table").id] = _TABLE_KIND
        for side, kind in _SIDE_KINDS.items():
            self._kinds[model.geom(side).id] = kind

    def reset(self, spec: EpisodeSpec, start: Command) -> None:
        """Bring the world into the state that ``spec`` describes, the arm at rest in the pose of ``start``."""
        apply_spec(self._model, spec)
        self._spec = spec
        self._objects = {side: spec.object(side) for side in SIDES}
        self._spheres = tuple(side for side in SIDES if self._objects[side].shape == "sphere")
        self._cameras = {camera.name: camera for camera in spec.cameras}
        mujoco.mj_setConst(self._model, self._data)
        mujoco.mj_resetData(self._model, self._data)
        self._place_objects(spec)
        self._arm.forget()
        self._data.qpos[self._arm.qpos] = self._arm.solve(start)
        self._data.qpos[self._drivers] = start.closed * _CLOSED_ANGLE
        mujoco.mj_step1(self._model, self._data)
        for _ in range(_SETTLE_STEPS):
            self._advance(start)
        # Objects sank by some micrometres into the soft contact while settling; they start exactly where the spec says.
        self._place_objects(spec)
        self._data.time = 0.0
        mujoco.mj_step1(self._model, self._data)
        self._impacts = ()
        self._step = 0
        self._rendered_step = -1

    def step(self, command: Command) -> None:
        """Advance by one physics step."""
        before = {side: self._height_and_velocity(side) for side in self._spheres}
        self._advance(command, before)
        self._step += 1

    def state(self) -> State:
        """The state now."""
        position, quat = self._arm.end_effector(self._data)
        contacts = self._contacts()
        return State(
            time=self._step * TIMESTEP,
            joints=self._data.qpos[self._arm.qpos],
            closed=sum(self._data.qpos[self._drivers].tolist()) / 2 / _CLOSED_ANGLE,
            ee_position=position,
            ee_quat_wxyz=quat,
            objects={side: self._body(side, contacts) for side in SIDES},
            impacts=self._impacts,
        )

    def render(self, camera: str) -> NDArray[np.uint8]:
        """An RGB image, shape (height, width, 3), from a camera of the spec; valid until the next call."""
        if self._resolution is None:
            raise ValueError("this simulator was opened without a resolution")
        return self._up_to_date(self._resolution).render(self._cameras[camera])

    def versions(self) -> dict[str, str]:
        """Names and versions of everything that results depend on."""
        return {
            "mujoco": mujoco.__version__,
            "numpy": np.__version__,
            "fast-simplification": version("fast-simplification"),
            "renderer": VERSION,
            "machine": platform.machine(),
        }

    def close(self) -> None:
        """Release the renderer and its memory."""
        if self._renderer is not None:
            self._renderer.close()
            self._renderer = self._drawn = None

    def _up_to_date(self, resolution: tuple[int, int]) -> Renderer:
        """The renderer, with what is now."""
        model, spec = self._model, self._spec
        assert spec is not None  # noqa: S101 - there is nothing to draw before the first reset
        if self._renderer is None:
            robot = robot_parts(*self._meshes, label=ROBOT_LABEL)
            context = open_context(self._gl, *resolution)
            # PyOpenGL loads what the context settled.
            from hpvqa.sim.render.renderer import Renderer

            self._renderer = Renderer(context, [part.part for part in robot], *resolution)
            bodies = [f"{ROBOT}{part.body}" for part in robot] + list(SIDES)
            self._seen_bodies = np.array([model.body(name).id for name in bodies])
        if self._drawn is not spec:
            self._renderer.reset(spec, [thing(spec.object(side), label) for side, label in LABELS.items()])
            self._drawn = spec
            self._rendered_step = -1
        if self._rendered_step != self._step:
            turned = self._data.xmat[self._seen_bodies].reshape(-1, 3, 3)
            self._renderer.update(np.concatenate([turned, self._data.xpos[self._seen_bodies][:, :, None]], axis=2))
            self._rendered_step = self._step
        return self._renderer

    def _advance(self, command: Command, before: dict[Side, tuple[float, float]] | None = None) -> None:
        self._data.ctrl[self._motors] = self._arm.torques(command, TIMESTEP)
        self._data.ctrl[self._fingers] = command.closed * _CLOSE_SIGNAL
        mujoco.mj_step2(self._model, self._data)
        self._impacts = self._bounce(before) if before else ()
        # Positions, contacts and bias forces of the new state: what the next command, the state and images need.
        mujoco.mj_step1(self._model, self._data)

    def _place_objects(self, spec: EpisodeSpec) -> None:
        for side in SIDES:
            start, speed = self._qpos[side], self._qvel[side]
            self._data.qpos[start : start + 7] = (*spec.object(side).position, 1.0, 0.0, 0.0, 0.0)
            self._data.qvel[speed : speed + 6] = 0.0

    def _height_and_velocity(self, side: Side) -> tuple[float, float]:
        return float(self._data.qpos[self._qpos[side] + 2]), float(self._data.qvel[self._qvel[side] + 2])

    def _bounce(self, before: dict[Side, tuple[float, float]]) -> tuple[Impact, ...]:
        """Put the impact law in place of the soft contact for spheres that met the table within this step."""
        impacts = []
        for side, (z, velocity) in before.items():
            item = self._objects[side]
            start = self._qpos[side]
            x, y, z_now = self._data.qpos[start : start + 3]
            if z_now > item.size or not _over_table(x, y):
                continue
            hit = bounce(z - item.size, velocity, item.restitution, self._gravity, TIMESTEP)
            if hit is None:
                continue
            self._data.qpos[start + 2] = item.size + hit.height
            self._data.qvel[self._qvel[side] + 2] = hit.velocity
            impacts.append(self._impact(side, hit, np.array([x, y, item.size])))
        return tuple(impacts)

    def _impact(self, side: Side, hit: Bounce, position: NDArray[np.float64]) -> Impact:
        return Impact(self._step * TIMESTEP + hit.delay, side, position, hit.speed_before, hit.speed_after)

    def _contacts(self) -> set[int]:
        """The kinds of geoms that touch each other, as sums of two kinds."""
        kinds = self._kinds[self._data.contact.geom]
        return set((kinds[:, 0] + kinds[:, 1]).tolist())

    def _body(self, side: Side, contacts: set[int]) -> BodyState:
        mine = _SIDE_KINDS[side]
        start, speed = self._qpos[side], self._qvel[side]
        return BodyState(
            position=self._data.qpos[start : start + 3].copy(),
            quat_wxyz=self._data.qpos[start + 3 : start + 7].copy(),
            velocity=self._data.qvel[speed : speed + 3].copy(),
            touching_gripper=mine + _ROBOT_KIND in contacts,
            touching_table=mine + _TABLE_KIND in contacts,
        )


def _over_table(x: float, y: float) -> bool:
    return abs(x - TABLE_CENTER[0]) <= TABLE_HALF[0] and abs(y - TABLE_CENTER[1]) <= TABLE_HALF[1]
