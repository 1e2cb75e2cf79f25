"""What an installation takes: the bounds in pyproject.toml, and the versions in constraints/."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from packaging.version import Version

ROOT = Path(__file__).parents[1]
PROJECT: dict[str, Any] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
EXTRAS: dict[str, list[str]] = PROJECT["optional-dependencies"]
LOCKS = sorted((ROOT / "constraints").glob("*.txt"))
PYTHONS = [lock.stem for lock in LOCKS]
GPU = "vllm"
OPTIONAL = ("quantize", "tensorboard", "wandb", "mlflow")
"""Extras of a training, whose tests run where they are installed."""
APART = (GPU, "isaaclab", "inspect", "ray", "rerun", "docs", *OPTIONAL)
"""Extras that .venv never has: the official vLLM, and those that have environments of their own (make isaac, docs)."""


def direct() -> list[Requirement]:
    """Every requirement of the package and its extras, but for the extras' references to each other."""
    lines = PROJECT["dependencies"] + [line for extra, lines in EXTRAS.items() if extra not in APART for line in lines]
    return [found for line in lines if (found := Requirement(line)).name != PROJECT["name"]]


def pins(lock: Path) -> dict[str, Version]:
    lines = [line for line in lock.read_text(encoding="utf-8").splitlines() if not line.startswith("#")]
    found = {canonicalize_name(name): Version(version) for name, version in (line.split("==") for line in lines)}
    assert len(found) == len(lines)
    return found


def test_there_is_a_lock_for_every_python_that_is_promised() -> None:
    promised = [line.rpartition(" :: ")[2] for line in PROJECT["classifiers"] if " :: 3." in line]
    assert promised == PYTHONS
    assert PROJECT["requires-python"] == f">={promised[0]}"


@pytest.mark.parametrize("lock", LOCKS, ids=PYTHONS)
def test_every_requirement_is_locked_within_its_bounds(lock: Path) -> None:
    locked = pins(lock)
    wrong = []
    for requirement in direct():
        version = locked.get(canonicalize_name(requirement.name))
        if version is None or version not in requirement.specifier:
            wrong.append(f"{requirement} is locked as {version}")
    assert not wrong, f"{wrong}; run: make lock"


@pytest.mark.parametrize("lock", LOCKS, ids=PYTHONS)
def test_a_lock_names_public_versions_and_no_place(lock: Path) -> None:
    text = lock.read_text(encoding="utf-8")
    assert re.fullmatch(r"(#[^/]*\n|[a-z0-9.-]+==[a-z0-9.!]+\n)*", text)


def test_every_required_package_has_a_lowest_version_and_an_end() -> None:
    users = PROJECT["dependencies"] + [
        line
        for extra in ("mujoco", "plot", "vlm", "openai", "hub", "gym", GPU, "inspect", "docs", *OPTIONAL)
        for line in EXTRAS[extra]
    ]
    for requirement in map(Requirement, users):
        operators = {specifier.operator for specifier in requirement.specifier}
        assert requirement.name == PROJECT["name"] or {">=", "<"} <= operators, requirement


def test_the_documentation_names_the_floor_of_the_package_that_others_hold_back() -> None:
    (floor,) = (
        s.version
        for line in map(Requirement, PROJECT["dependencies"])
        if line.name == "av"
        for s in line.specifier
        if s.operator == ">="
    )
    assert f"PyAV {floor} is the floor" in (ROOT / "docs/installation.md").read_text(encoding="utf-8")
