"""What ``hpvqa doctor`` finds, on this machine and on pretended ones."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path

import pytest

from hpvqa import doctor
from hpvqa.doctor import Finding, can_simulate, examine
from hpvqa.errors import RunError, UsageError
from hpvqa.main import main

Run = Callable[..., tuple[object, str]]


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run ``hpvqa doctor`` at 80 columns; returns exit code and output."""
    monkeypatch.setenv("COLUMNS", "80")

    def run(*options: str) -> tuple[object, str]:
        with pytest.raises(SystemExit) as caught:
            main(["doctor", *options])
        return caught.value.code, capsys.readouterr().out

    return run


def by_name(findings: list[Finding]) -> dict[str, Finding]:
    return {finding.name: finding for finding in findings}


@pytest.mark.simulation
def test_this_machine_can_simulate(tmp_path: Path) -> None:
    findings = examine(os.environ, tmp_path)
    assert can_simulate(findings)
    found = by_name(findings)
    assert found["MuJoCo"].found is not None
    assert found["MuJoCo"].found.startswith("4.0.")
    assert "GiB free in " in (found["disk"].found or "")


def test_every_part_that_can_be_missing_says_what_to_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def nothing(*args: object, **options: object) -> str:
        raise UsageError("do this and that")

    monkeypatch.setattr(doctor, "find_gl", nothing)
    monkeypatch.setattr(doctor, "robot_dir", nothing)
    monkeypatch.setattr(doctor, "MINIMUM_PYTHON", (9, 9))
    monkeypatch.setattr(doctor, "mujoco_trouble", lambda: "do this and that")
    monkeypatch.setattr(doctor.importlib.metadata, "version", absent)
    findings = examine({"PATH": ""}, tmp_path)
    missing = [finding for finding in findings if finding.found is None]
    assert {finding.name for finding in missing if finding.required} == {"Python", "MuJoCo", "OpenGL", "robot meshes"}
    assert {"PyTorch", "vLLM", "Isaac Sim", "Isaac Lab"} < {finding.name for finding in missing}
    assert all(finding.needs for finding in missing)
    assert not can_simulate(findings)


def test_opengl_that_does_not_reply_in_time_is_a_finding(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def slow(environ: object) -> str:
        raise RunError("try again")

    monkeypatch.setattr(doctor, "find_gl", slow)
    found = by_name(examine({"PATH": ""}, tmp_path))["OpenGL"]
    assert (found.found, found.needs) == (None, "try again")


def absent(name: str) -> str:
    raise doctor.importlib.metadata.PackageNotFoundError(name)


def test_an_optional_part_may_be_missing() -> None:
    assert can_simulate([Finding("Python", "3.11", required=True), Finding("GPU", None, "buy one")])
    assert not can_simulate([Finding("Python", None, "get one", required=True), Finding("GPU", "H200")])


@pytest.mark.parametrize(
    ("script", "found"),
    [
        ("printf 'A, 1 MiB, 9.9\\nB, 2 MiB, 9.9\\n'", "A, 1 MiB, 9.9; B, 2 MiB, 9.9"),
        ("echo 'No devices were found'; exit 6", None),
        ("true", None),
    ],
)
def test_gpus_are_what_their_driver_says(
    script: str, found: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tool = tmp_path / "nvidia-smi"
    tool.write_text(f"#!/bin/sh\n{script}\n")
    tool.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert doctor._gpu().found == found


@pytest.mark.simulation
def test_command_says_that_all_is_well(run: Run) -> None:
    code, text = run()
    assert code == 0
    assert "The embedded simulator can run." in text
    assert max(map(len, text.splitlines())) <= 80


def test_command_exits_with_1_when_nothing_can_be_drawn(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MUJOCO_GL", "off")
    code, text = run()
    assert code == 1
    assert "The embedded simulator cannot run without: OpenGL." in text


@pytest.mark.simulation
def test_command_prints_json(run: Run) -> None:
    code, text = run("--json")
    data = json.loads(text)
    assert code == 0
    assert data["can_simulate"] is True
    assert all(set(finding) == {"name", "found", "needs", "required"} for finding in data["findings"])
