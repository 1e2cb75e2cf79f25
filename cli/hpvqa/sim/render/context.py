"""An OpenGL context without a window."""

from __future__ import annotations

import contextlib
import importlib
from typing import Protocol


class Context(Protocol):
    """Where OpenGL draws; one a renderer."""

    def make_current(self) -> None:
        """Let all calls to OpenGL of this thread go to it."""

    def free(self) -> None:
        """Free it, with everything that was made in it."""


def open_context(gl: str, width: int, height: int) -> Context:
    """A new context, current; PyOpenGL must not be imported before the first one, which decides what it loads.

    Args:
        gl: Which OpenGL: egl, osmesa or glfw.
        width: Of its pictures [pixels].
        height: Of its pictures [pixels].
    """
    _load_compilers()
    # MuJoCo's own switch is read once, when it is imported; asking for the context by name works at any time.
    context: Context = importlib.import_module(f"mujoco.{gl}").GLContext(width, height)
    context.make_current()
    return context


def _load_compilers() -> None:
    """Load triton, if it is installed, before Mesa: both carry LLVM, and in the other order its import crashes Python.

    It comes with torch for GPUs, so that a process which draws first and runs a model later would die (triton 3.9, Mesa
    22.3).
    """
    with contextlib.suppress(ImportError):
        importlib.import_module("triton")
