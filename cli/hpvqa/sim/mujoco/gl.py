"""Which OpenGL draws the pictures: the one that ``MUJOCO_GL`` names, else the first that really works."""

from __future__ import annotations

import subprocess
from collections.abc import Mapping

from hpvqa.errors import RunError, UsageError
from hpvqa.processes import python
from hpvqa.sim.mujoco import require_mujoco

VARIABLE = "MUJOCO_GL"
BACKENDS = ("egl", "osmesa")
"""Without a screen, from the best to the slowest; EGL can use a GPU, and both give the same picture on Mesa."""
PACKAGES = ("libegl1", "libgl1")
"""Debian packages that bring EGL, with Mesa's driver for machines without a GPU."""
NEEDED = (3, 3)
"""The oldest version of OpenGL that the renderer can use."""
_PROBE_SECONDS = 60


def choose_gl(environ: Mapping[str, str]) -> str:
    """The OpenGL backend to draw with: the user's own choice, or the first that works here.

    Takes a fraction of a second, in a child process; decide once and hand the result to workers.

    Args:
        environ: The environment; it is not changed.

    Raises:
        MissingDependencyError: MuJoCo is not installed.
        UsageError: There is no OpenGL that works.
        RunError: One did not reply in time, and no other works.
    """
    return find_gl(environ)[0]


def find_gl(environ: Mapping[str, str]) -> tuple[str, str]:
    """What ``choose_gl`` chooses, and the name of the device that draws with it."""
    require_mujoco()
    wanted = environ.get(VARIABLE, "").strip().lower()
    slow = []
    for backend in (wanted,) if wanted else BACKENDS:
        try:
            device = gl_renderer(backend, environ)
        except TimeoutError:
            slow.append(backend)
            continue
        if device is not None:
            return backend, device
    if slow:
        raise RunError(
            f"Trying to draw by {' and '.join(slow)} took longer than {_PROBE_SECONDS} s; try again when the machine "
            "is less busy. If it always takes so long, the driver hangs: mend that, or record no clips with --no-video"
        )
    if wanted:
        raise UsageError(
            f"{VARIABLE}={wanted} gives no OpenGL {NEEDED[0]}.{NEEDED[1]} on this machine; unset it, and one that "
            "works is found"
        )
    raise UsageError(
        f"There is no OpenGL {NEEDED[0]}.{NEEDED[1]} to draw pictures with; as root, run: apt-get install "
        f"{' '.join(PACKAGES)} (or libosmesa6), or record no clips with --no-video"
    )


def gl_renderer(backend: str, environ: Mapping[str, str]) -> str | None:
    """Name of the device that draws with this backend, such as llvmpipe; None if it does not work or is too old.

    A child process really makes a context: what is installed is often not what works, and a driver may crash.

    Raises:
        TimeoutError: It does not reply: its driver hangs, or the machine is busy.
    """
    try:
        done = subprocess.run(
            python("-m", "hpvqa.sim.mujoco.gl"),
            env={**environ, VARIABLE: backend},
            capture_output=True,
            text=True,
            timeout=_PROBE_SECONDS,
        )
    except subprocess.TimeoutExpired:
        raise TimeoutError(f"{backend} does not reply") from None
    return done.stdout.strip() if done.returncode == 0 else None


def _print_renderer() -> None:
    from mujoco.gl_context import GLContext
    from OpenGL import GL

    context = GLContext(16, 16)
    context.make_current()
    if (GL.glGetIntegerv(GL.GL_MAJOR_VERSION), GL.glGetIntegerv(GL.GL_MINOR_VERSION)) < NEEDED:
        raise SystemExit(f"this is only OpenGL {GL.glGetString(GL.GL_VERSION).decode()}")
    print(GL.glGetString(GL.GL_RENDERER).decode())
    context.free()


if __name__ == "__main__":
    _print_renderer()
