"""The embedded simulator: episode specs realised by MuJoCo."""

from __future__ import annotations

import platform
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

import mujoco
import numpy as np
from numpy.typing import NDArray

from hpvqa.scene.room import TABLE_CENTER, TABLE_HALF
from hpvqa.scene.spec import CameraSpec, Thing, WorldSpec
from hpvqa.sim.mujoco.impact import Bounce, bounce
from hpvqa.sim.mujoco.names import ROBOT, THING
from hpvqa.sim.mujoco.robot import bare_robot, robot_parts
from hpvqa.sim.mujoco.world import TIMESTEP, Layout, World, layout_of
from hpvqa.sim.protocol import FIRST_LABEL, ROBOT_LABEL, Array, BodyState, Command, Impact, State, SteppedSimulator
from hpvqa.sim.render import VERSION
from hpvqa.sim.render.context import open_context
from hpvqa.sim.render.parts import thing_parts

if TYPE_CHECKING:
    from hpvqa.sim.render.renderer import Renderer

CLOSED_ANGLE = 0.8
"""The gripper's driver joint when fully closed [rad]."""
CLOSE_SIGNAL = 255.0
_SETTLE_STEPS = 240
"""Steps before an episode begins in which the gripper reaches the commanded opening; nothing of them is recorded."""
_MOST_WORLDS = 4
"""Compiled worlds that are kept, for the next episode of a task to find."""
_ALL = mujoco.mjtState.mjSTATE_INTEGRATION


@dataclass(frozen=True)
class _Saved:
    """A moment of a world."""

    world: World
    spec: WorldSpec
    numbers: Array
    target: Array | None
    step: int
    impacts: tuple[Impact, ...]


class MujocoSimulator(SteppedSimulator):
    """A :class:`hpvqa.sim.protocol.SteppedSimulator` without a GPU.

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
        self._robot = bare_robot(robot_xml)
        self._worlds: dict[Layout, World] = {}
        self._renderer: Renderer | None = None
        self._parts: list[str] = []
        self._rendered_step = -1
        self._drawn: WorldSpec | None = None
        self._seen_bodies = np.zeros(0, np.int64)
        self._step = 0
        self._impacts: tuple[Impact, ...] = ()
        self._now: World | None = None
        self._spec: WorldSpec | None = None
        self._spheres: tuple[Thing, ...] = ()

    @property
    def _world(self) -> World:
        if self._now is None:
            raise ValueError("there is no world before the first reset")
        return self._now

    def reset(self, spec: WorldSpec, start: Command) -> None:
        """Bring the world into the state that ``spec`` describes, the arm at rest in the pose of ``start``."""
        self._enter(self._compiled(spec), spec)
        world = self._world
        world.apply(spec.things)
        mujoco.mj_resetData(world.model, world.data)
        world.place(spec.things)
        world.arm.target = None
        world.data.qpos[world.arm.qpos] = world.arm.solve(start)
        world.data.qpos[world.drivers] = start.closed * CLOSED_ANGLE
        mujoco.mj_step1(world.model, world.data)
        for _ in range(_SETTLE_STEPS):
            self._advance(start)
        # Things sank by some micrometres into the soft contact while settling; they start exactly where the spec says.
        world.place(spec.things)
        world.data.time = 0.0
        mujoco.mj_step1(world.model, world.data)
        self._impacts = ()
        self._step = 0

    def _compiled(self, spec: WorldSpec) -> World:
        layout = layout_of(spec.things)
        world = self._worlds.pop(layout, None) or World(self._robot.copy(), spec.things)
        while len(self._worlds) >= _MOST_WORLDS:
            self._worlds.pop(next(iter(self._worlds)))
        self._worlds[layout] = world
        return world

    def _enter(self, world: World, spec: WorldSpec) -> None:
        self._now, self._spec = world, spec
        self._spheres = tuple(thing for thing in spec.things if thing.shape == "sphere")
        self._rendered_step = -1

    def step(self, command: Command) -> None:
        """Advance by one physics step."""
        before = {thing.name: self._height_and_velocity(thing.name) for thing in self._spheres}
        self._advance(command, before)
        self._step += 1

    def state(self) -> State:
        """The state now."""
        world = self._world
        position, quat = world.arm.end_effector(world.data)
        contacts = world.contacts()
        return State(
            time=self._step * TIMESTEP,
            joints=world.data.qpos[world.arm.qpos],
            closed=sum(world.data.qpos[world.drivers].tolist()) / 2 / CLOSED_ANGLE,
            ee_position=position,
            ee_quat_wxyz=quat,
            things={name: self._body(name, contacts) for name in world.qpos},
            impacts=self._impacts,
        )

    def save(self) -> object:
        """Everything that the next step depends on, for ``restore``."""
        world, spec = self._world, self._spec
        assert spec is not None  # noqa: S101 - as above
        numbers = np.zeros(mujoco.mj_stateSize(world.model, _ALL))
        mujoco.mj_getState(world.model, world.data, numbers, _ALL)
        return _Saved(world, spec, numbers, world.arm.target, self._step, self._impacts)

    def restore(self, saved: object) -> None:
        """Go back to a moment of the same world: all that follows is as it was then, bit for bit.

        Raises:
            ValueError: It was saved in another world.
        """
        if not isinstance(saved, _Saved) or saved.world is not self._now or saved.spec is not self._spec:
            raise ValueError("only a moment of the same episode can be restored")
        world = saved.world
        mujoco.mj_setState(world.model, world.data, saved.numbers, _ALL)
        mujoco.mj_step1(world.model, world.data)
        world.arm.target = saved.target
        self._step, self._impacts = saved.step, saved.impacts
        self._rendered_step = -1

    def render(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """An RGB image, shape (height, width, 3), from any camera; valid until the next call."""
        return self._up_to_date().render(camera)

    def segment(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """What each pixel's centre shows, shape (height, width): 0 furniture, 1 robot, 2 and on the spec's things."""
        return self._up_to_date().segment(camera)

    def measure(self, camera: CameraSpec) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """How far away what each pixel's centre shows is [mm], and the same as ``segment``; (height, width) both."""
        return self._up_to_date().measure(camera)

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

    def _up_to_date(self) -> Renderer:
        """The renderer, with what is now."""
        if self._resolution is None:
            raise ValueError("this simulator was opened without a resolution")
        world, spec = self._world, self._spec
        assert spec is not None  # noqa: S101 - there is one with every world
        if self._renderer is None:
            robot = robot_parts(*self._meshes, label=ROBOT_LABEL)
            context = open_context(self._gl, *self._resolution)
            # PyOpenGL loads what the context settled.
            from hpvqa.sim.render.renderer import Renderer

            self._renderer = Renderer(context, [part.part for part in robot], *self._resolution)
            self._parts = [f"{ROBOT}{part.body}" for part in robot]
        if self._drawn is not spec:
            things = [
                (THING + thing.name + of, part)
                for label, thing in enumerate(spec.things, FIRST_LABEL)
                for of, part in thing_parts(thing, label)
            ]
            self._renderer.reset(spec, [part for _, part in things])
            bodies = self._parts + [body for body, _ in things]
            self._seen_bodies = np.array([world.model.body(name).id for name in bodies])
            self._drawn = spec
            self._rendered_step = -1
        if self._rendered_step != self._step:
            turned = world.data.xmat[self._seen_bodies].reshape(-1, 3, 3)
            self._renderer.update(np.concatenate([turned, world.data.xpos[self._seen_bodies][:, :, None]], axis=2))
            self._rendered_step = self._step
        return self._renderer

    def _advance(self, command: Command, before: dict[str, tuple[float, float]] | None = None) -> None:
        world = self._world
        world.data.ctrl[world.motors] = world.arm.torques(command, TIMESTEP)
        world.data.ctrl[world.fingers] = command.closed * CLOSE_SIGNAL
        mujoco.mj_step2(world.model, world.data)
        self._impacts = self._bounce(before) if before else ()
        # Positions, contacts and bias forces of the new state: what the next command, the state and images need.
        mujoco.mj_step1(world.model, world.data)

    def _height_and_velocity(self, name: str) -> tuple[float, float]:
        world = self._world
        return float(world.data.qpos[world.qpos[name] + 2]), float(world.data.qvel[world.qvel[name] + 2])

    def _bounce(self, before: dict[str, tuple[float, float]]) -> tuple[Impact, ...]:
        """Put the impact law in place of the soft contact for spheres that met the table within this step."""
        impacts = []
        world = self._world
        for thing in self._spheres:
            z, velocity = before[thing.name]
            radius, start = thing.half_height, world.qpos[thing.name]
            x, y, z_now = world.data.qpos[start : start + 3]
            if z_now > radius or not _over_table(x, y):
                continue
            hit = bounce(z - radius, velocity, thing.restitution, world.gravity, TIMESTEP)
            if hit is None:
                continue
            world.data.qpos[start + 2] = radius + hit.height
            world.data.qvel[world.qvel[thing.name] + 2] = hit.velocity
            impacts.append(self._impact(thing.name, hit, np.array([x, y, radius])))
        return tuple(impacts)

    def _impact(self, name: str, hit: Bounce, position: Array) -> Impact:
        return Impact(self._step * TIMESTEP + hit.delay, name, position, hit.speed_before, hit.speed_after)

    def _body(self, name: str, contacts: set[int]) -> BodyState:
        world = self._world
        position, quat, velocity = world.motion(name)
        gripper, table = world.touches(name, contacts)
        return BodyState(
            position=position,
            quat_wxyz=quat,
            velocity=velocity,
            touching_gripper=gripper,
            touching_table=table,
        )


def _over_table(x: float, y: float) -> bool:
    return abs(x - TABLE_CENTER[0]) <= TABLE_HALF[0] and abs(y - TABLE_CENTER[1]) <= TABLE_HALF[1]
