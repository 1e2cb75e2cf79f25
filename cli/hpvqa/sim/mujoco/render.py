"""Offscreen rendering with MuJoCo's classic renderer."""

from __future__ import annotations

import contextlib
import importlib
import weakref
from typing import Any

import mujoco
import numpy as np
from numpy.typing import NDArray

_MAX_GEOMS = 400


class Renderer:
    """Images of one model, all of one size.

    Args:
        model: What to draw.
        width: Of the images [pixels].
        height: Of the images [pixels].
        gl: Which OpenGL draws them: egl, osmesa or glfw.
    """

    def __init__(self, model: mujoco.MjModel, width: int, height: int, gl: str) -> None:
        self._model = model
        self._rect = mujoco.MjrRect(0, 0, width, height)
        self._upside_down = np.empty((height, width, 3), np.uint8)
        self._scene = mujoco.MjvScene(model, maxgeom=_MAX_GEOMS)
        self._option = mujoco.MjvOption()
        self._camera = mujoco.MjvCamera()
        self._camera.type = mujoco.mjtCamera.mjCAMERA_FIXED
        self._camera.fixedcamid = 0
        _load_compilers()
        # MuJoCo's own switch is read once, when it is imported; asking for the context by name works at any time.
        self._gl = importlib.import_module(f"mujoco.{gl}").GLContext(width, height)
        self._gl.make_current()
        self._context = mujoco.MjrContext(model, mujoco.mjtFontScale.mjFONTSCALE_100)
        mujoco.mjr_setBuffer(mujoco.mjtFramebuffer.mjFB_OFFSCREEN, self._context)
        self._free = weakref.finalize(self, _free, self._gl, self._context)
        # At the end of the process OpenGL itself is taken down first, and frees everything.
        self._free.atexit = False

    def update(self, data: mujoco.MjData) -> None:
        """Take over the world's state; one update serves images from all cameras."""
        mujoco.mjv_updateScene(
            self._model, data, self._option, None, self._camera, mujoco.mjtCatBit.mjCAT_ALL, self._scene
        )

    def render(self, data: mujoco.MjData, camera: int) -> NDArray[np.uint8]:
        """RGB image, shape (height, width, 3), of the last update; overwritten by the next call."""
        # Another renderer of this process may have drawn, or been closed, since.
        self._gl.make_current()
        self._camera.fixedcamid = camera
        mujoco.mjv_updateCamera(self._model, data, self._camera, self._scene)
        mujoco.mjr_render(self._rect, self._scene, self._context)
        mujoco.mjr_readPixels(self._upside_down, None, self._rect, self._context)
        # OpenGL's rows start at the bottom; a view turns them without a copy.
        return self._upside_down[::-1]

    def close(self) -> None:
        """Free the context and everything in it."""
        self._free()


def _load_compilers() -> None:
    """Load triton, if it is installed, before Mesa: both carry LLVM, and in the other order its import crashes Python.

    It comes with torch for GPUs, so that a process which draws first and runs a model later would die (triton 3.9, Mesa
    22.3).
    """
    with contextlib.suppress(ImportError):
        importlib.import_module("triton")


def _free(gl: Any, context: mujoco.MjrContext) -> None:
    # OpenGL deletes by number from whichever context is current, so it has to be this one.
    gl.make_current()
    context.free()
    gl.free()
