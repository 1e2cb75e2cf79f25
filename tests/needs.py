"""What tests need: marks for it, skips where it is missing, what is left to `make test-all`, and which tests
stay together on one worker."""

from __future__ import annotations

import ast
from collections.abc import Iterable
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling
from xdist.workermanage import WorkerController

ROOT = Path(__file__).parents[1]
MODELS = ("torch", "transformers", "peft", "accelerate", "safetensors")
EXTRAS = {"mujoco": "mujoco", "datasets": "test", "pxr": "test", **dict.fromkeys(MODELS, "vlm")}
"""Packages that tests import at their top, and the extra that brings each."""
FIRST = (
    "tests/test_explore_engines.py",
    "tests/test_physics.py",
    "tests/test_backend_vllm.py",
    "tests/test_openai_server.py",
    "tests/test_tutorial.py",
    "tests/isaac/test_contract.py",
    "tests/isaac/test_panel_replay.py",
    "tests/test_renderer.py",
    "tests/test_simulator.py",
    "tests/test_embedded.py",
    "tests/test_explore_world.py",
    "tests/test_studio_browser.py",
    "tests/test_finetune.py",
    "tests/test_record.py",
    "tests/test_finetune_steps.py",
    "tests/test_finetune_trouble.py",
    "tests/test_tiny.py",
    "tests/test_explore_simulated.py",
    "tests/test_collect_end_to_end.py",
    "tests/test_plugin.py",
    "tests/isaac/test_collect.py",
    "tests/test_sample.py",
    "tests/test_posed.py",
    "tests/test_same_bytes.py",
    "tests/test_hub.py",
    "tests/test_eval_models.py",
    "tests/test_torture.py",
    "tests/test_explore_kills.py",
    "tests/test_evaluate.py",
    "tests/test_depth.py",
    "tests/test_show.py",
    "tests/test_single_frames.py",
    "tests/test_frame_oracle.py",
    "tests/isaac/test_panel_preview.py",
    "tests/isaac/test_panel_run.py",
    "tests/test_explore_bench.py",
    "tests/test_collect_processes.py",
)
"""The files that take longest, the longest first, so that no worker ends with one of them while the others are idle."""
FIXTURES = {"tiny_model": "models", "all_moved": "simulation", "moved": "simulation", "filmed": "simulation"}
"""Marks of the tests that use a fixture."""
SIMULATES = ("hpvqa.sim.open_simulator", "hpvqa.sim.mujoco", "tests.worlds.physics", "tests.worlds.run", "mujoco")


def long_but(values: Iterable[Any], *quick: Any) -> list[Any]:
    """Parameters of a test: with the quick ones, or else the first, `make test` runs it; with all, `make test-all`."""
    every = list(values)
    assert all(value in every for value in quick), quick
    quick = quick or (every[0],)
    return [value if value in quick else pytest.param(value, marks=pytest.mark.long) for value in every]


@cache
def imports(path: Path) -> frozenset[str]:
    """Dotted names of what a file of tests imports when it is loaded, and the packages that its helpers need."""
    found: set[str] = set()
    for node in ast.parse(path.read_bytes()).body:
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
            found.update(f"{node.module}.{alias.name}" for alias in node.names)
    helpers = [ROOT / f"{name.replace('.', '/')}.py" for name in found if name.startswith("tests.")]
    return frozenset(found).union(*(packages(helper) for helper in helpers if helper.is_file()))


def packages(path: Path) -> frozenset[str]:
    """The packages of :data:`EXTRAS` without which a file of tests cannot be loaded."""
    return frozenset(name.split(".")[0] for name in imports(path)) & EXTRAS.keys()


def lacking(wanted: frozenset[str]) -> str | None:
    """Why tests that need these packages cannot run here; None if they can."""
    missing = sorted(package for package in wanted if not _installed(package))
    return f"needs the extra {EXTRAS[missing[0]]}: there is no {missing[0]}" if missing else None


@cache
def _installed(package: str) -> bool:
    return find_spec(package) is not None


class Skipped(pytest.Module):
    """A file of tests that cannot even be loaded here."""

    def collect(self) -> list[pytest.Item]:
        pytest.skip(lacking(packages(self.path)) or "", allow_module_level=True)


def pytest_pycollect_makemodule(module_path: Path, parent: pytest.Collector) -> pytest.Module | None:
    return Skipped.from_parent(parent, path=module_path) if lacking(packages(module_path)) else None


def marks(path: Path) -> frozenset[str]:
    """Marks that all tests of a file have for what it imports."""
    found = {"models"} if packages(path).intersection(MODELS) else set()
    return frozenset(found if imports(path).isdisjoint(SIMULATES) else found | {"simulation"})


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Leave out files none of whose tests are wanted: to import PyTorch takes longer than many a test."""
    wanted = str(config.getoption("markexpr")).split(" and ")
    is_file = collection_path.name.startswith("test_") and collection_path.suffix == ".py"
    return True if is_file and any(f"not {mark}" in wanted for mark in marks(collection_path)) else None


def imports_models(item: pytest.Item) -> bool:
    """Whether a test imports PyTorch, or what stands on it, in its body."""
    code = getattr(getattr(item, "function", None), "__code__", None)
    if code is None:
        return False
    names = {*code.co_names, *(code.co_consts if "importorskip" in code.co_names else ())}
    return not names.isdisjoint(MODELS)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    reason = lacking(frozenset(MODELS))
    for item in items:
        for fixture in FIXTURES.keys() & set(getattr(item, "fixturenames", ())):
            item.add_marker(FIXTURES[fixture])
        for mark in marks(item.path):
            item.add_marker(mark)
        if imports_models(item):
            item.add_marker("models")
        if reason and item.get_closest_marker("models"):
            item.add_marker(pytest.mark.skip(reason=reason))


@cache
def shares(path: Path) -> bool:
    """Whether tests of a file share what is made once for them, such as a data set or an engine."""
    text = path.read_text(encoding="utf-8")
    return 'scope="module"' in text or "\n@cache\n" in text


class Sharing(LoadScopeScheduling):
    """Gives tests that share something to one worker, and all others to whoever is free; the longest come first."""

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.split("::")[0]
        return file if shares(ROOT / file) else nodeid

    def _assign_work_unit(self, node: WorkerController) -> None:
        if not self.assigned_work.get(node):
            # Once for each worker; to look for the first of thousands before each test took seconds in all.
            for scope in sorted(self.workqueue, key=_place):
                self.workqueue.move_to_end(scope)
        super()._assign_work_unit(node)

    def mark_test_complete(self, node: WorkerController, item_index: int, duration: float = 0) -> None:
        super().mark_test_complete(node, item_index, duration)
        # What is done is counted again after each test.
        work, scope = self.assigned_work[node], self._split_scope(self.registered_collections[node][item_index])
        if all(work[scope].values()):
            del work[scope]


def _place(scope: str) -> int:
    file = scope.split("::")[0]
    return FIRST.index(file) if file in FIRST else len(FIRST)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> LoadScopeScheduling | None:
    return Sharing(config, log) if config.getvalue("dist") == "loadfile" else None
