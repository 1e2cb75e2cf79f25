"""What stands still, as each camera sees it: drawn once, by rays, and kept as long as nothing of it changes."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL

from hpvqa.scene.camera import focal_pixels, rotation
from hpvqa.scene.room import FLOOR_Z, ROOM_HALF, WALL_TOP
from hpvqa.scene.spec import PLAIN, SURFACES, CameraSpec, WorldSpec
from hpvqa.sim.render.gl import Program, Target, Texture, cover_all, read
from hpvqa.sim.render.lights import INSET, LAMP_RADIUS, WORK_CENTER, Lights
from hpvqa.sim.render.matrices import perspective, world_to
from hpvqa.sim.render.still import BOXES, box_colors, boxes, ranges

Array = NDArray[np.float64]

SMALL = 320 * 240
"""Pictures of no more pixels are small: they are drawn finer."""
_FAR = 14.0
_MOST_VIEWERS = 8
"""Of so many cameras that the world does not name, the still parts are kept."""
_FINEST, _FINER = 0.0015, 0.005
"""Up to this many metres a pixel, what moves is drawn at its finest and second finest level of detail."""
_SAMPLES = (4, 3)
"""Rays a pixel, along one side: in small and in large pictures."""


@dataclass(frozen=True)
class View:
    """What one camera sees that stands still, and what is needed to draw over it."""

    eye: Array
    turned: Array
    focal: float
    matrix: Array
    level: int
    seen: Texture
    lookup: Texture
    image: NDArray[np.uint8]

    @cached_property
    def depth(self) -> NDArray[np.uint16]:
        """How far away it is along the line of sight [mm], at the centres of pixels, shape (height, width)."""
        height, width = self.image.shape[:2]
        return ranges(self.eye, self.turned, self.focal, width, height)

    def free(self) -> None:
        """Free its memory on the device."""
        self.seen.free()
        self.lookup.free()


class Views:
    """The views of a world.

    Args:
        lights: Its lights.
        size: Width and height of the pictures [pixels].
    """

    def __init__(self, lights: Lights, size: tuple[int, int]) -> None:
        self._lights, self._size = lights, size
        self._samples = _SAMPLES[size[0] * size[1] > SMALL]
        self._done = Texture(GL.GL_DEPTH_COMPONENT24, size)
        self._programs: dict[tuple[bool, bool], Program] = {}
        self._kept: dict[tuple[CameraSpec, bool], View] = {}
        self._spec: WorldSpec | None = None

    def __len__(self) -> int:
        """How many are kept."""
        return len(self._kept)

    def reset(self, spec: WorldSpec) -> None:
        """See another world from now on, whose light is set."""
        if self._spec is None or (spec.room, spec.light) != (self._spec.room, self._spec.light):
            for view in self._kept.values():
                view.free()
            self._kept.clear()
        self._spec = spec

    def of(self, camera: CameraSpec) -> View:
        """What a camera sees."""
        assert self._spec is not None  # noqa: S101 - for the type checker
        # A viewer that moves sees most places once: only edges are drawn as finely for it.
        quick = camera not in self._spec.cameras
        view = self._kept.pop((camera, quick), None) or self._draw(self._spec, camera, quick=quick)
        # The one that was used longest ago stands first: a viewer that moves needs each of its views once.
        while len(self._kept) >= len(self._spec.cameras) + _MOST_VIEWERS:
            self._kept.pop(next(iter(self._kept))).free()
        self._kept[camera, quick] = view
        return view

    def _draw(self, spec: WorldSpec, camera: CameraSpec, *, quick: bool) -> View:
        width, height = self._size
        eye, turned = np.array(camera.position, float), rotation(camera.quat_wxyz)
        focal = focal_pixels(camera.focal_length, width)
        seen, lookup = Texture(GL.GL_RGBA8, self._size), Texture(GL.GL_RG16, self._size)
        furniture = boxes()
        room: dict[str, Any] = {
            "eye": eye,
            "turned": turned,
            "size": np.array(self._size, float),
            "focal": focal,
            "lamp": self._lights.position,
            "lamp_radius": LAMP_RADIUS,
            "room": np.array([ROOM_HALF, FLOOR_Z, WALL_TOP]),
            "boxes": furniture.reshape(-1, 3),
            "furniture": np.stack([furniture[:, 0].min(axis=0), furniture[:, 1].max(axis=0)]),
            "box_colors": box_colors(spec),
            "walls": np.array(spec.room.walls),
            "ground": np.array(spec.room.floor),
            "surfaces": np.array([SURFACES.index(name) for name in spec.room.surfaces], np.int32),
            "light": self._lights.lamp.matrix,
        }
        textured = spec.room.surfaces != PLAIN
        target = Target([seen, lookup], self._done)
        target.bind()
        GL.glClear(GL.GL_DEPTH_BUFFER_BIT)
        GL.glEnable(GL.GL_DEPTH_TEST)
        if quick:
            # Where a pixel shows one surface alone, one ray is enough; such pixels are done, which the depth tells.
            self._program(textured=textured, even=True).use(samples=1, **room)
            cover_all()
        self._program(textured=textured, even=False).use(samples=self._samples, **room)
        cover_all()
        GL.glDisable(GL.GL_DEPTH_TEST)
        image = np.empty((height, width, 3), np.uint8)
        read((0, 0, width, height), image)
        target.free()
        lens = perspective(2 * focal / width, 2 * focal / height, (camera.near, _FAR))
        distance = max(float(np.linalg.norm(eye - WORK_CENTER)) - 0.5, 0.15)
        level = int(np.searchsorted([_FINEST, _FINER], distance / focal))
        return View(eye, turned, focal, lens @ world_to(eye, turned), level, seen, lookup, image)

    def _program(self, *, textured: bool, even: bool) -> Program:
        """What draws pixels; made when it is first needed, for few need all kinds."""
        if (textured, even) not in self._programs:
            self._programs[textured, even] = Program(
                "screen.vert", "room.frag", BOXES=BOXES, INSET=INSET, TEXTURED=int(textured), EVEN=int(even)
            )
        return self._programs[textured, even]
