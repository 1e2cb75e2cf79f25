"""Imports point one way, and the layers that only handle data import neither torch nor a simulator."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import hpvqa

PACKAGE = Path(hpvqa.__file__).parent
BASICS = (
    "errors",
    "hosts",
    "loopback",
    "install",
    "versions",
    "processes",
    "cluster",
    "plain",
    "files",
    "parquet",
    "resources",
    "progress",
)
"""What every layer may import; of each other only what stands before."""
LAYERS = {
    "scene": set(),
    "probes": {"scene"},
    "tasks": {"scene", "probes"},
    "places": {"tasks"},
    "recipe": {"scene", "probes", "tasks"},
    "sim": {"scene", "probes", "tasks", "recipe"},
    "record": {"scene", "probes", "tasks", "places", "recipe", "sim"},
    "collect": {"scene", "probes", "tasks", "places", "recipe", "sim", "record"},
    "dataset": {"scene", "probes", "tasks", "places", "recipe", "record"},
    "vlm": {"scene", "probes", "tasks", "recipe", "record", "dataset"},
    "finetune": {"scene", "probes", "tasks", "recipe", "record", "dataset", "vlm", "evaluate", "explore"},
    "evaluate": {"scene", "probes", "tasks", "recipe", "record", "dataset", "vlm"},
    "report": {"scene", "probes", "tasks", "recipe", "record", "dataset", "vlm", "evaluate"},
    "serve": {"scene", "vlm"},
    "explore": {
        "scene",
        "probes",
        "tasks",
        "places",
        "recipe",
        "sim",
        "record",
        "dataset",
        "vlm",
        "evaluate",
        "report",
    },
    "studio": {"scene", "tasks", "places", "sim", "record", "dataset", "vlm", "evaluate", "report", "explore"},
    "suite": {
        *("scene", "tasks", "recipe", "sim", "record", "collect", "dataset", "vlm", "evaluate", "report", "explore"),
    },
    "hub": {"dataset", "vlm"},
    "ask": {"scene", "probes", "tasks", "places", "record", "collect", "dataset", "vlm", "evaluate"},
}
"""Every layer, and the layers that it may import."""
DATA_ONLY = ("probes", "tasks", "scene", "record", "dataset", "evaluate", "report", "studio")
TOP = ("__main__", "commands", "main", "demo", "doctor", "listing", "schema")
"""Front ends: nothing below may import them."""


def files(layer: str) -> list[Path]:
    single = PACKAGE / f"{layer}.py"
    return [single] if single.is_file() else sorted((PACKAGE / layer).rglob("*.py"))


def imports(path: Path) -> Iterator[str]:
    """Full names of the modules that a file imports anywhere, also inside of functions."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path} has a relative import"
            yield node.module or ""
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def layers_imported(path: Path) -> set[str]:
    parts = [name.split(".") for name in imports(path)]
    return {name[1] for name in parts if name[0] == "hpvqa" and len(name) > 1}


@pytest.mark.parametrize("layer", LAYERS)
@pytest.mark.slow
def test_imports_point_one_way(layer: str) -> None:
    assert files(layer), f"the layer {layer} has no files"
    forbidden = (set(LAYERS) | set(TOP)) - LAYERS[layer] - {layer}
    imported = {path: layers_imported(path) for path in files(layer)}
    assert {path.name: names & forbidden for path, names in imported.items() if names & forbidden} == {}


@pytest.mark.parametrize("basic", BASICS)
def test_basics_import_only_what_stands_before_them(basic: str) -> None:
    forbidden = (set(BASICS) | set(LAYERS) | set(TOP)) - set(BASICS[: BASICS.index(basic) + 1])
    imported = {path: layers_imported(path) for path in files(basic)}
    assert {path.name: names & forbidden for path, names in imported.items() if names & forbidden} == {}


def test_every_module_has_a_layer() -> None:
    found = {path.stem for path in PACKAGE.glob("*.py")} | {path.parent.name for path in PACKAGE.glob("*/__init__.py")}
    assert found - {"__init__"} == {*BASICS, *LAYERS, *TOP}


@pytest.mark.parametrize("layer", DATA_ONLY)
def test_data_layers_import_neither_torch_nor_a_simulator(layer: str) -> None:
    heavy = {"torch", "transformers", "vllm", "mujoco", "isaacsim", "isaaclab", "omni"}
    wrong = {
        str(path.relative_to(PACKAGE)): {name.split(".")[0] for name in imports(path)} & heavy for path in files(layer)
    }
    assert {path: names for path, names in wrong.items() if names} == {}


def test_no_file_is_two_ideas() -> None:
    lengths = {str(path.relative_to(PACKAGE)): len(path.read_text().splitlines()) for path in PACKAGE.rglob("*.py")}
    assert {path: length for path, length in lengths.items() if length > 400} == {}


@pytest.mark.slow
def test_the_package_needs_nothing_beside_it() -> None:
    beside = {"research", "benchmarks", "tests", "scripts"}
    imported = {path: {name.split(".")[0] for name in imports(path)} & beside for path in PACKAGE.rglob("*.py")}
    assert {path.name: names for path, names in imported.items() if names} == {}


def test_imports_are_found_wherever_they_are(tmp_path: Path) -> None:
    path = tmp_path / "example.py"
    path.write_text("import a.b\nfrom hpvqa import sim\ndef f():\n    from hpvqa.vlm.base import Answerer\n")
    assert set(imports(path)) == {"a.b", "hpvqa", "hpvqa.sim", "hpvqa.vlm.base", "hpvqa.vlm.base.Answerer"}
    assert layers_imported(path) == {"sim", "vlm"}
