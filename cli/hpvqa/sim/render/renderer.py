"""Pictures of an episode by OpenGL, at a cost that a processor without a GPU can pay.

What stands still is drawn once for each camera of an episode, by rays, with everything that makes a picture good. A
frame then draws only what moves, finer than the picture, and lays it and its shadows over that. Shadows are worked out
once a moment and serve all cameras.
"""

from __future__ import annotations

import math
import warnings
import weakref
from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL

from hpvqa.scene.color import linear
from hpvqa.scene.layers import DEPTH_SCALE
from hpvqa.scene.room import FLOOR_Z, ROOM_HALF, TABLE_CENTER, TABLE_HALF, WALL_TOP
from hpvqa.scene.spec import CameraSpec, WorldSpec
from hpvqa.sim.render.context import Context
from hpvqa.sim.render.gl import Pixels, Program, Shape, Target, Texture, cover_all, largest_texture, read, rectangle
from hpvqa.sim.render.lights import Lights
from hpvqa.sim.render.parts import Part, packed
from hpvqa.sim.render.still import occluder
from hpvqa.sim.render.views import SMALL, View, Views

Array = NDArray[np.float64]

_MOST_THINGS = 16
_FINE = (2.0, 1.5)
"""How much finer than the picture what moves is drawn, along one side: in small and in large pictures."""
_NEAREST = 0.05
"""What is nearer to a camera than this [m], or behind it, could be anywhere in the picture."""


class Renderer:
    """Images of an episode, all of one size.

    Args:
        context: A new one of this size, current; the renderer frees it.
        robot: The parts of the robot.
        width: Of the images [pixels].
        height: Of the images [pixels].
    """

    def __init__(self, context: Context, robot: Sequence[Part], width: int, height: int) -> None:
        self._context = context
        self._size = (width, height)
        self._fine = _FINE[width * height > SMALL]
        if self._fine * max(width, height) > largest_texture():
            self._fine = 1.0
            warnings.warn(
                f"What moves has jagged edges in pictures of {width}x{height}: this OpenGL draws at most "
                f"{largest_texture()} pixels a side, and smooth edges need half as many again",
                stacklevel=2,
            )
        self._robot = list(robot)
        self._capacity = len(self._robot) + _MOST_THINGS
        self._depths = Program("depth.vert", "depth.frag", PARTS=self._capacity)
        self._bodies: dict[bool, Program] = {}
        self._labels = Program("movers.vert", "label.frag", PARTS=self._capacity)
        self._ranges = Program("movers.vert", "range.frag", PARTS=self._capacity, DEPTH_SCALE=float(DEPTH_SCALE))
        self._compose = [Program("screen.vert", "compose.frag", MOVERS=movers) for movers in (0, 1)]
        self._lights = Lights()
        self._robot_shape = Shape(*packed(self._robot, 0))
        self._occluder = Shape(*packed([occluder()], self._capacity - 1))
        self._things: Shape | None = None
        big = (math.ceil(width * self._fine), math.ceil(height * self._fine))
        self._movers = Texture(GL.GL_RGBA8, big, smooth=True)
        self._movers_target = Target([self._movers], Texture(GL.GL_DEPTH_COMPONENT24, big))
        self._small = Texture(GL.GL_RGBA8, (width, height))
        self._labels_target = Target([self._small], Texture(GL.GL_DEPTH_COMPONENT24, (width, height)))
        self._out_target = Target([self._small])
        self._views = Views(self._lights, self._size)
        self._spec: WorldSpec | None = None
        self._colors = np.zeros((self._capacity, 4))
        self._label_colors = np.zeros((self._capacity, 4))
        self._solids = np.full((_MOST_THINGS, 4), -1.0)
        self._rows = np.zeros((3 * self._capacity, 4))
        self._boxes = self._corners = self._shadows = np.zeros((0, 3))
        self._hidden = False
        self._upside_down = np.empty((height, width, 3), np.uint8)
        self._free = weakref.finalize(self, _free, self._context)
        # At the end of the process OpenGL itself is taken down first, and frees everything.
        self._free.atexit = False

    def reset(self, spec: WorldSpec, things: Sequence[Part]) -> None:
        """Draw another episode from now on.

        Args:
            spec: Its room and lamp.
            things: What there is besides the robot.
        """
        self._context.make_current()
        if self._things is not None:
            self._things.free()
        self._spec = spec
        parts = [*self._robot, *things]
        self._things = Shape(*packed(things, len(self._robot)))
        for number, part in enumerate(parts):
            self._colors[number] = (*linear(part.color), part.gloss)
            self._label_colors[number] = part.label / 255
        self._solids[:] = -1.0
        self._solids[: len(things)] = [_solid(part) for part in things]
        self._boxes = np.stack([part.corners() for part in parts])
        self._lights.reset(np.array(spec.light.position, float))
        self._views.reset(spec)

    def update(self, poses: Array) -> None:
        """Take over where everything is; one update serves images from all cameras.

        Args:
            poses: Rotation and position of each part, the robot's first, shape (n, 3, 4).
        """
        self._context.make_current()
        self._rows[:] = 0
        self._rows[: 3 * len(poses)] = poses.reshape(-1, 4)
        self._rows[-3:] = np.eye(3, 4)
        corners = np.einsum("pij,pkj->pki", poses[:, :, :3], self._boxes) + poses[:, None, :, 3]
        self._corners = corners.reshape(-1, 3)
        assert self._spec is not None  # noqa: S101 - for the type checker
        casting = corners if self._spec.light.shadows else corners[: len(self._robot)]
        self._shadows = _shadows(casting, self._lights.position)
        # Whatever is above the table is hidden by none of what stands still, unless it is seen from below.
        self._hidden = bool((self._corners[:, 2] < -1e-3).any())
        self._lights.update(self._draw_depths, self._corners, self._shadows)

    def render(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """RGB image, shape (height, width, 3), of the last update; overwritten by the next call."""
        # Another renderer of this process may have drawn, or been closed, since.
        self._context.make_current()
        view = self._views.of(camera)
        np.copyto(self._upside_down, view.image)
        touched = self._touched(view, np.concatenate([self._corners, self._shadows]))
        if touched[0] < touched[2] and touched[1] < touched[3]:
            self._draw_movers(view, touched)
        # OpenGL's rows start at the bottom; a view turns them without a copy.
        return self._upside_down[::-1]

    def segment(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """The label of the part that each pixel's centre shows, shape (height, width); 0 for what stands still."""
        return self._seen(camera)[:, :, 0].copy()

    def measure(self, camera: CameraSpec) -> tuple[NDArray[np.uint16], NDArray[np.uint8]]:
        """Depth [mm], along the line of sight, of what each pixel's centre shows, and its label; (height, width) both.

        The camera must be inside of the room, so that it sees something everywhere.
        """
        seen = self._seen(camera)
        labels = seen[:, :, 0].copy()
        moving = seen[:, :, 1].astype(np.uint16) << 8 | seen[:, :, 2]
        return np.where(labels > 0, moving, self._views.of(camera).depth), labels

    def _seen(self, camera: CameraSpec) -> NDArray[np.uint8]:
        """Label and depth, in two bytes, of what moves, shape (height, width, 3)."""
        self._context.make_current()
        view = self._views.of(camera)
        self._labels_target.bind()
        GL.glClearColor(0, 0, 0, 0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        self._draw_bodies(self._ranges, view, self._label_colors, hidden=True)
        seen = np.empty_like(self._upside_down)
        read((0, 0, *self._size), seen)
        return seen[::-1]

    def close(self) -> None:
        """Free the context and everything in it."""
        self._free()

    def _draw_movers(self, view: View, touched: Pixels) -> None:
        front = self._touched(view, self._corners)
        self._movers_target.bind()
        GL.glEnable(GL.GL_SCISSOR_TEST)
        GL.glScissor(*rectangle(self._finer(front)))
        GL.glClearColor(0, 0, 0, 0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT | GL.GL_DEPTH_BUFFER_BIT)
        self._draw_bodies(self._body(), view, self._colors, hidden=self._hidden or view.eye[2] < 0)
        self._out_target.bind()
        for movers, pixels in [(1, front), *((0, rest) for rest in _around(front, touched))]:
            GL.glScissor(*rectangle(pixels))
            self._compose[movers].use(
                movers=self._movers,
                seen=view.seen,
                lookup=view.lookup,
                taken=self._lights.taken,
                texel=self._fine / np.array(self._movers.size),
            )
            cover_all()
        GL.glDisable(GL.GL_SCISSOR_TEST)
        read(touched, self._upside_down)

    def _draw_bodies(self, program: Program, view: View, colors: Array, *, hidden: bool) -> None:
        assert self._spec is not None and self._things is not None  # noqa: S101, PT018 - for the type checker
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glEnable(GL.GL_CULL_FACE)
        if hidden:
            self._labels.use(poses=self._rows, colors=np.zeros_like(colors), view=view.matrix)
            self._occluder.draw(0)
        more: dict[str, Any] = {}
        if program is self._ranges:
            more = {"eye": view.eye, "ahead": -view.turned[:, 2]}
        else:
            lamp = self._lights.lamp
            more = {
                "eye": view.eye,
                "lamp": self._lights.position,
                "light": lamp.matrix,
                "cover": lamp.cover,
                "range": np.array(lamp.span),
                "table": linear(self._spec.room.table),
            }
            if self._chequered:
                more["solids"] = self._solids
        program.use(poses=self._rows, colors=colors, view=view.matrix, **more)
        self._robot_shape.draw(view.level)
        self._things.draw(view.level)
        GL.glDisable(GL.GL_CULL_FACE)
        GL.glDisable(GL.GL_DEPTH_TEST)

    def _draw_depths(self, matrix: Array) -> None:
        assert self._spec is not None and self._things is not None  # noqa: S101, PT018 - for the type checker
        self._depths.use(poses=self._rows, light=matrix)
        self._robot_shape.draw(-1)
        if self._spec.light.shadows:
            self._things.draw(-1)

    @property
    def _chequered(self) -> bool:
        return bool((self._solids[:, 3] >= 0).any())

    def _body(self) -> Program:
        """What draws what moves; a world without squares has the pictures that it has always had."""
        if self._chequered not in self._bodies:
            more = {"THINGS": _MOST_THINGS, "FIRST": len(self._robot)} if self._chequered else {}
            self._bodies[self._chequered] = Program("movers.vert", "movers.frag", PARTS=self._capacity, **more)
        return self._bodies[self._chequered]

    def _touched(self, view: View, points: Array) -> Pixels:
        """The pixels (left, bottom, right, top) that boxes with these corners may touch."""
        width, height = self._size
        local = (points - view.eye) @ view.turned
        if (local[:, 2] > -_NEAREST).any():
            return 0, 0, width, height
        at = np.array(self._size) / 2 - view.focal * local[:, :2] / local[:, 2:]
        low, high = np.floor(at.min(axis=0)) - 2, np.ceil(at.max(axis=0)) + 2
        (left, bottom), (right, top) = (np.clip(end, 0, self._size).astype(int).tolist() for end in (low, high))
        return left, bottom, right, top

    def _finer(self, pixels: Pixels) -> Pixels:
        """The texels of what moves that any of these pixels may be mixed from."""
        width, height = self._movers.size
        left, low, right, high = (self._fine * side for side in pixels)
        return (
            max(0, math.floor(left) - 1),
            max(0, math.floor(low) - 1),
            min(width, math.ceil(right) + 1),
            min(height, math.ceil(high) + 1),
        )


def _solid(part: Part) -> tuple[float, float, float, float]:
    """Half the size of a chequered thing, and along how many axes it is round; -1 if it is plain."""
    if part.chequered is None:
        return (1.0, 1.0, 1.0, -1.0)
    x, y, z = part.chequered.size
    return (x / 2, y / 2, z / 2, {"sphere": 3.0, "cylinder": 2.0}.get(part.chequered.shape, 0.0))


def _around(inner: Pixels, outer: Pixels) -> list[Pixels]:
    """What is left of a rectangle without another one inside of it."""
    left, low, right, high = outer
    a, b, c, d = inner
    bands = [(left, low, right, b), (left, d, right, high), (left, b, a, d), (c, b, right, d)]
    return [band for band in bands if band[0] < band[2] and band[1] < band[3]]


def _shadows(corners: Array, lamp: Array) -> Array:
    """Points between which shadows lie, shape (n, 3): of the lamp, and of the ceiling's light on the table.

    Args:
        corners: Of boxes around what moves, shape (boxes, 8, 3).
        lamp: Where it is [m].
    """
    points = corners.reshape(-1, 3)
    grown = points + 0.03 * np.sign(points - np.repeat(corners.mean(axis=1), 8, axis=0))
    ray = grown - lamp
    ray[np.abs(ray) < 1e-9] = 1e-9
    to_table = np.where(ray[:, 2] < 0, -lamp[2] / ray[:, 2], np.inf)
    with np.errstate(invalid="ignore"):
        on_table = (
            np.abs((lamp + ray * to_table[:, None])[:, :2] - TABLE_CENTER) < np.array(TABLE_HALF[:2]) + 0.05
        ).all(1)
    low, high = np.array([-ROOM_HALF, -ROOM_HALF, FLOOR_Z]), np.array([ROOM_HALF, ROOM_HALF, WALL_TOP])
    to_room = (np.where(ray > 0, high, low) - lamp) / ray
    end = np.maximum(np.where(on_table, to_table, to_room.min(axis=1)), 1.0)
    near = points[points[:, 2] < 0.4]
    steps = 0.15 * np.array([[-1, -1, 0], [-1, 1, 0], [1, -1, 0], [1, 1, 0]])
    around = ((near * [1, 1, 0])[:, None] + steps).reshape(-1, 3)
    return np.concatenate([lamp + ray * end[:, None], around])


def _free(context: Context) -> None:
    # Everything that was made in a context goes with it.
    context.free()
