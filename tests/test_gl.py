"""The choice of OpenGL. What really works differs between machines, so the order is tested on pretended machines."""

from __future__ import annotations

import os
from pathlib import Path, PurePosixPath

import pytest

from hpvqa.errors import MissingDependencyError, RunError, UsageError
from hpvqa.sim.mujoco import gl, mujoco_trouble


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
    with pytest.raises(UsageError, match=r"MUJOCO_GL=osmesa gives no OpenGL 3\.3"):
        gl.choose_gl({"MUJOCO_GL": "osmesa"})


def test_no_opengl_names_the_packages(monkeypatch: pytest.MonkeyPatch) -> None:
    pretend(monkeypatch)
    with pytest.raises(UsageError, match=r"apt-get install libegl1 libgl1 .*--no-video"):
        gl.choose_gl({})


def test_no_mujoco_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("hpvqa.sim.mujoco._distribution", lambda name: None)
    with pytest.raises(MissingDependencyError, match=r"is not installed; .* run: pip install .*\[mujoco\]"):
        gl.choose_gl({})


def test_files_of_the_working_folder_are_not_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    backend = gl.choose_gl(os.environ)
    for name in ("mujoco", "OpenGL", "token", "logging"):
        (tmp_path / f"{name}.py").write_text(f"open({str(tmp_path / 'ran')!r}, 'w'); raise SystemExit('mine')")
    monkeypatch.chdir(tmp_path)
    assert gl.gl_renderer(backend, os.environ)
    assert not (tmp_path / "ran").exists()


class Files:
    """What a package of that name installed."""

    version = "3.17.0"

    def __init__(self, *names: str) -> None:
        self.files = [PurePosixPath(name) for name in names]


@pytest.mark.parametrize(
    ("ours", "other", "found", "words"),
    [
        (True, Files("mujoco/__init__.py"), True, "mujoco 3.17.0 is installed beside mujoco-core"),
        (False, Files("mujoco/__init__.py"), True, "mujoco 3.17.0 is installed instead of mujoco-core"),
        (True, None, False, "Files of MuJoCo are missing"),
    ],
)
def test_two_packages_in_one_folder_are_named_with_what_mends_it(
    ours: bool, other: Files | None, found: bool, words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    packages = {"mujoco-core": Files() if ours else None, "mujoco": other}
    monkeypatch.setattr("hpvqa.sim.mujoco._distribution", packages.get)
    if not found:
        monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(MissingDependencyError, match=words) as caught:
        gl.choose_gl({})
    assert "run: pip uninstall -y mujoco mujoco-core && pip install " in str(caught.value)


def test_a_package_of_that_name_without_files_is_in_nobodys_way(monkeypatch: pytest.MonkeyPatch) -> None:
    packages = {"mujoco-core": Files("mujoco/__init__.py"), "mujoco": Files("mujoco-3.17.0.dist-info/METADATA")}
    monkeypatch.setattr("hpvqa.sim.mujoco._distribution", packages.get)
    assert mujoco_trouble() is None


@pytest.mark.parametrize("backend", ["off", "nonsense"])
def test_a_backend_that_cannot_work_does_not(backend: str) -> None:
    assert gl.gl_renderer(backend, os.environ) is None


def test_a_version_that_is_too_old_does_not_work() -> None:
    backend = gl.choose_gl(os.environ)
    assert gl.gl_renderer(backend, {**os.environ, "MESA_GL_VERSION_OVERRIDE": "3.0"}) is None


@pytest.mark.parametrize(
    ("environ", "words"),
    [
        ({}, "egl and osmesa"),
        ({"MUJOCO_GL": "glfw"}, "glfw"),
    ],
)
def test_what_does_not_reply_is_not_said_to_be_missing(
    environ: dict[str, str], words: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(gl, "_PROBE_SECONDS", 0.001)
    with pytest.raises(RunError, match=f"by {words} took longer than 0.001 s; try again when the machine is less busy"):
        gl.choose_gl({**os.environ, "MUJOCO_GL": "", **environ})


def test_another_is_chosen_where_the_first_does_not_reply(monkeypatch: pytest.MonkeyPatch) -> None:
    def renderer(backend: str, environ: object) -> str:
        if backend == "egl":
            raise TimeoutError
        return "pretended"

    monkeypatch.setattr(gl, "gl_renderer", renderer)
    assert gl.find_gl({}) == ("osmesa", "pretended")
