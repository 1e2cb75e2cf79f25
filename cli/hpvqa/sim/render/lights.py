"""The two lights and the shadows of what moves in them: drawn once a moment, whatever the number of cameras."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray
from OpenGL import GL

from hpvqa.scene.room import FLOOR_Z, ROOM_HALF, WALL_TOP
from hpvqa.sim.render.gl import Program, Target, Texture, cover_all
from hpvqa.sim.render.matrices import perspective, world_to
from hpvqa.sim.render.still import boxes

Array = NDArray[np.float64]

LAMP_RADIUS = 0.09
"""A lamp of this size has shadows with soft edges [m]."""
WORK_CENTER = np.array([0.35, 0.0, 0.35])
WORK_RADIUS = 0.9
"""A ball that holds the robot and whatever it handles [m]."""
_TEXELS = 512
_ABOVE_TEXELS = 256
_ABOVE_CENTER = (0.4, 0.0)
_ABOVE_HALF = 0.95
_ABOVE_HEIGHT = 1.3
_TAKEN = 192
"""Width and height of each half of the picture of all shadows [texels]."""
INSET = 0.5 / _TAKEN
"""Lookups in one half keep this far from the other."""
_MARGIN = 20
"""A soft shadow reaches this far beyond its caster [texels]."""


class Light:
    """What a light sees of everything that moves.

    Args:
        texels: Width and height of what it sees.
        lamp: Whether it is the lamp, and not the ceiling.
    """

    def __init__(self, texels: int, *, lamp: bool) -> None:
        half = texels // 2
        levels = half.bit_length() - 2
        self._depth = Texture(GL.GL_DEPTH_COMPONENT24, (texels, texels))
        self.cover = Texture(GL.GL_RG8, (half, half), smooth=True, levels=levels)
        self.matrix: Array = np.eye(4)
        self.span = (0.0, 1.0)
        self._lamp = lamp
        self._sight = Target([], self._depth)
        self._levels = [Target([self.cover], level=level) for level in range(levels)]

    def look(self, draw: Callable[[Array], None], cover: Program, blur: Program) -> None:
        """See what moves.

        Args:
            draw: Draws it, given a matrix.
            cover: Tells from depths what is covered.
            blur: Makes a level of that from the finer one.
        """
        self._sight.bind()
        GL.glEnable(GL.GL_DEPTH_TEST)
        GL.glClear(GL.GL_DEPTH_BUFFER_BIT)
        draw(self.matrix)
        GL.glDisable(GL.GL_DEPTH_TEST)
        self._levels[0].bind()
        cover.use(depth=self._depth, range=np.array(self.span), lamp=int(self._lamp))
        cover_all()
        for level, target in enumerate(self._levels[1:], 1):
            target.bind()
            blur.use(finer=self.cover, level=level)
            cover_all()

    def sees(self, points: Array) -> Array:
        """Where it sees points, shape (n, 3) -> (n, 2), each in [0, 1]."""
        at = np.column_stack([points, np.ones(len(points))]) @ self.matrix.T
        return np.asarray(0.5 + 0.5 * at[:, :2] / at[:, 3:])


class Lights:
    """The lamp of an episode, the light that the ceiling throws back, and the shadows in both."""

    def __init__(self) -> None:
        self.lamp = Light(_TEXELS, lamp=True)
        self.ceiling = Light(_ABOVE_TEXELS, lamp=False)
        x, y = _ABOVE_CENTER
        # Seen from below: what is nearest to the table hides what is above it.
        self.ceiling.matrix = np.array(
            [
                [1 / _ABOVE_HALF, 0, 0, -x / _ABOVE_HALF],
                [0, 1 / _ABOVE_HALF, 0, -y / _ABOVE_HALF],
                [0, 0, 2 / _ABOVE_HEIGHT, -1],
                [0, 0, 0, 1],
            ]
        )
        self.ceiling.span = (0.0, _ABOVE_HEIGHT)
        self.position: Array = np.zeros(3)
        # On the left the table from above, on the right whatever the lamp sees.
        self.taken = Texture(GL.GL_RG8, (2 * _TAKEN, _TAKEN), smooth=True)
        self._taken_target = Target([self.taken])
        self._reach = Texture(GL.GL_R32F, (_TAKEN, _TAKEN))
        self._reach_target = Target([self._reach])
        self._cover = Program("screen.vert", "cover.frag")
        self._blur = Program("screen.vert", "blur.frag")
        self._reach_program = Program("screen.vert", "reach.frag")
        self._halves = [Program("screen.vert", "shade.frag", TABLE=table) for table in (1, 0)]
        self._scale = 1.0

    def reset(self, position: Array) -> None:
        """Put the lamp somewhere [m]."""
        self.position = position
        back = position - WORK_CENTER
        distance = float(np.linalg.norm(back))
        back = back / distance
        side = np.cross([0.0, 0.0, 1.0] if abs(back[2]) < 0.99 else [1.0, 0.0, 0.0], back)
        side /= np.linalg.norm(side)
        turned = np.stack([side, np.cross(back, side), back], axis=1)
        # A lamp inside of the ball lights what is before it.
        wide = WORK_RADIUS / np.sqrt(max(distance**2 - WORK_RADIUS**2, 0.1))
        self._scale = _TEXELS / 2 / (2 * wide)
        self.lamp.span = (max(distance - WORK_RADIUS, 0.05), distance + WORK_RADIUS)
        self.lamp.matrix = perspective(1 / wide, 1 / wide, self.lamp.span) @ world_to(position, turned)
        self._reach_target.bind()
        self._reach_program.use(
            back=np.linalg.inv(self.lamp.matrix),
            size=np.array(self._reach.size, float),
            lamp=position,
            room=np.array([ROOM_HALF, FLOOR_Z, WALL_TOP]),
            table=boxes()[0],
        )
        cover_all()

    def update(self, draw: Callable[[Array], None], points: Array, shadows: Array) -> None:
        """Work out the shadows of what moves.

        Args:
            draw: Draws it, given a matrix.
            points: Corners of boxes around it, shape (n, 3) [m].
            shadows: Points between which its shadows lie, shape (m, 3) [m].
        """
        for light in (self.lamp, self.ceiling):
            light.look(draw, self._cover, self._blur)
        self._taken_target.bind()
        GL.glClearColor(0, 0, 0, 0)
        GL.glClear(GL.GL_COLOR_BUFFER_BIT)
        GL.glEnable(GL.GL_SCISSOR_TEST)
        low, high = boxes()[0]
        on_table = np.concatenate([points, shadows])[:, :2]
        for number, places in enumerate([(on_table - low[:2]) / (high - low)[:2], self.lamp.sees(points)]):
            corner = np.clip(np.floor(_TAKEN * places.min(axis=0)) - _MARGIN, 0, _TAKEN).astype(int)
            extent = np.clip(np.ceil(_TAKEN * places.max(axis=0)) + _MARGIN, 0, _TAKEN).astype(int) - corner
            GL.glScissor(int(corner[0]) + number * _TAKEN, int(corner[1]), *np.maximum(extent, 0).tolist())
            self._halves[number].use(
                lamp_cover=self.lamp.cover,
                room_cover=self.ceiling.cover,
                reach=self._reach,
                size=np.full(2, float(_TAKEN)),
                table=boxes()[0],
                lamp=self.position,
                light=self.lamp.matrix,
                above=self.ceiling.matrix,
                range=np.array(self.lamp.span),
                radius=LAMP_RADIUS,
                scale=self._scale,
            )
            cover_all()
        GL.glDisable(GL.GL_SCISSOR_TEST)
