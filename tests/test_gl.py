"""The choice of OpenGL. What really works differs between machines, so the order is tested on pretended machines."""

from __future__ import annotations

import os

import pytest

from hpvqa.errors import MissingDependencyError, UsageError
from hpvqa.sim.mujoco import gl


def pretend(monkeypatch: pytest.MonkeyPatch, *working: str) -> list[str]:
    """Let only these backends work; returns the list of those that were tried."""
    tried: list[str] = []

    def renderer(backend: str, environ: object) -> str | None:
        tried.append(backend)
        return "pretended" if backend in working else None

    monkeypatch.setattr(gl, "gl_renderer", renderer)
    return tried


def test_this_machine_draws() -> None:
    backend = gl.choose_gl(os.environ)
    assert gl.gl_renderer(backend, os.environ)


@pytest.mark.parametrize(("working", "chosen"), [(("egl", "osmesa"), "egl"), (("osmesa",), "osmesa")])
def test_the_first_that_works_is_chosen(monkeypatch: pytest.MonkeyPatch, working: tuple[str, ...], chosen: str) -> None:
    pretend(monkeypatch, *working)
    assert gl.choose_gl({}) == chosen


def test_the_choice_of_the_user_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    tried = pretend(monkeypatch, "egl", "osmesa", "glfw")
    assert gl.choose_gl({"MUJOCO_GL": "OSMesa"}) == "osmesa"
    assert gl.choose_gl({"MUJOCO_GL": "glfw"}) == "glfw"
    assert tried == ["osmesa", "glfw"]


def test_a_choice_of_the_user_that_does_not_work_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch, "egl")
    with pytest.raises(UsageError, match="MUJOCO_GL=osmesa gives no OpenGL"):
        gl.choose_gl({"MUJOCO_GL": "osmesa"})


def test_no_opengl_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    with pytest.raises(UsageError, match=r"apt-get install libegl1 libgl1 .*--no-video"):
        gl.choose_gl({})


def test_no_mujoco_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"hpvqa\[mujoco\]"):
        gl.choose_gl({})


@pytest.mark.parametrize("backend", ["off", "nonsense"])
def test_a_backend_that_cannot_work_does_not(backend: str) -> None:
    assert gl.gl_renderer(backend, os.environ) is None


def test_a_driver_that_hangs_does_not_work(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gl, "_PROBE_SECONDS", 0.001)
    assert gl.gl_renderer("egl", os.environ) is None
