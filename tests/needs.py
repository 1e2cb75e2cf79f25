"""What tests need: marks for it, skips where it is missing, and which tests one worker runs for its sake."""

from __future__ import annotations

import ast
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling

ROOT = Path(__file__).parents[1]
MODELS = ("torch", "transformers", "peft", "accelerate", "safetensors")
EXTRAS = {"mujoco": "mujoco", "datasets": "test", "pxr": "test", **dict.fromkeys(MODELS, "vlm")}
"""Packages that tests import at their top, and the extra that brings each."""


@cache
def imports(path: Path) -> frozenset[str]:
    """The packages of :data:`EXTRAS` that a file of tests imports when it is loaded, itself or through its helpers."""
    found: set[str] = set()
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module:
            names = [node.module, *(f"{node.module}.{alias.name}" for alias in node.names)]
        else:
            continue
        found.update(name.split(".")[0] for name in names if name.split(".")[0] in EXTRAS)
        helpers = (ROOT / f"{name.replace('.', '/')}.py" for name in names if name.startswith("tests."))
        found.update(*(imports(helper) for helper in helpers if helper.is_file()))
    return frozenset(found)


@cache
def installed(package: str) -> bool:
    return find_spec(package) is not None


def lacking(packages: frozenset[str] | tuple[str, ...]) -> str | None:
    """Why tests that need these packages cannot run here; None if they can."""
    missing = sorted(package for package in packages if not installed(package))
    return f"needs the extra {EXTRAS[missing[0]]}: there is no {missing[0]}" if missing else None


class Skipped(pytest.Module):
    """A file of tests that cannot even be imported here."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip(lacking(imports(self.path)) or "", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return Skipped.from_parent(parent, path=module_path) if lacking(imports(module_path)) else None


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = lacking(MODELS)
    for item in items:
        if "tiny_model" in getattr(item, "fixturenames", ()) or imports(item.path).intersection(MODELS):
            item.add_marker("models")
        if reason and item.get_closest_marker("models"):
            item.add_marker(pytest.mark.skip(reason=reason))


@cache
def shares(path: Path) -> bool:
    """Whether tests of a file share what is made once for them, such as a data set or an engine."""
    return 'scope="module"' in path.read_text(encoding="utf-8")


class Sharing(LoadScopeScheduling):
    """Gives tests that share something to one worker, and all others to whoever is free."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return file if shares(ROOT / file) else nodeid


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    return Sharing(config, log) if config.getvalue("dist") == "loadfile" else None
