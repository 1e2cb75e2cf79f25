"""Every name that our simulator code takes from Isaac Lab, Kit or USD exists, or a list says where it was verified."""

from __future__ import annotations

import ast
import builtins
import importlib
import re
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml

import hpvqa
from tests.isaac.sources import isaaclab_sources

PACKAGE = Path(hpvqa.__file__).parent
FOLDER = PACKAGE / "sim" / "isaac"
FILES = sorted(FOLDER.glob("*.py"))
FOREIGN = ("isaaclab", "isaaclab_assets", "isaaclab_tasks", "isaacsim", "omni", "carb")
VERIFIED: dict[str, str] = yaml.safe_load((Path(__file__).parent / "verified_names.yaml").read_text())


@cache
def lab_words() -> frozenset[str]:
    """Every identifier in Isaac Lab's sources."""
    words: set[str] = set()
    for package in ("isaaclab", "isaaclab_assets"):
        for path in (isaaclab_sources() / package / package).rglob("*.py"):
            words |= set(re.findall(r"[A-Za-z_]\w*", path.read_text(encoding="utf-8")))
    return frozenset(words)


@cache
def lab_text() -> str:
    root = isaaclab_sources() / "isaaclab" / "isaaclab"
    return "\n".join(path.read_text(encoding="utf-8") for path in root.rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def foreign_imports(path: Path, foreign: tuple[str, ...] = FOREIGN) -> Iterator[tuple[str, str | None]]:
    """Modules of others that a file imports, and what it takes from them."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] in foreign:
            yield from ((str(node.module), alias.name) for alias in node.names)
        elif isinstance(node, ast.Import):
            yield from ((alias.name, None) for alias in node.names if alias.name.split(".")[0] in foreign)


def module_file(module: str) -> Path | None:
    base = isaaclab_sources() / module.split(".")[0] / Path(*module.split("."))
    return next((path for path in (base.with_suffix(".py"), base / "__init__.py") if path.is_file()), None)


def defines(module: str, name: str) -> bool:
    """Whether a module of Isaac Lab has a name: defined there, imported there, or by a star from beside it."""
    path = module_file(module)
    if path is None:
        return False
    if module_file(f"{module}.{name}") is not None:
        return True
    for node in ast.walk(tree(path)):
        if isinstance(node, (ast.FunctionDef, ast.ClassDef)) and node.name == name:
            return True
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store) and node.id == name:
            return True
        if isinstance(node, ast.ImportFrom):
            if any((alias.asname or alias.name) == name for alias in node.names):
                return True
            if any(alias.name == "*" for alias in node.names):
                package = module if path.name == "__init__.py" else module.rpartition(".")[0]
                up = package.split(".")[: len(package.split(".")) - max(node.level - 1, 0)]
                beside = ".".join([*(up if node.level else []), *(node.module or "").split(".")]).strip(".")
                if beside.startswith("isaaclab") and defines(beside, name):
                    return True
    return False


IMPORTS = sorted({(module, name or "") for path in FILES for module, name in foreign_imports(path)})


@pytest.mark.parametrize(("module", "name"), IMPORTS)
def test_what_we_import_from_isaac_lab_is_there(module: str, name: str) -> None:
    assert module.startswith("isaaclab"), f"{module} is of Kit: verify it and name it in verified_names.yaml"
    assert module_file(module) is not None
    assert not name or defines(module, name)


def test_there_are_such_imports() -> None:
    assert len(IMPORTS) > 25
    assert not defines("isaaclab.sensors", "TiledCamraCfg")


def aliases(path: Path) -> dict[str, str]:
    """Names under which a file knows whole modules of Isaac Lab."""
    found = {}
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Import):
            found |= {alias.asname or alias.name: alias.name for alias in node.names}
    return {alias: module for alias, module in found.items() if module.startswith("isaaclab")}


def module_attributes(files: Iterable[Path]) -> list[tuple[str, str]]:
    """What files take from whole modules of Isaac Lab that they import."""
    found = set()
    for path in files:
        known = aliases(path)
        for node in ast.walk(tree(path)):
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id in known:
                found.add((known[node.value.id], node.attr))
    return sorted(found)


@pytest.mark.parametrize(("module", "name"), module_attributes(FILES))
def test_what_we_take_from_a_module_is_there(module: str, name: str) -> None:
    assert defines(module, name)


@cache
def own_words() -> frozenset[str]:
    """Names that our own code defines, and those of Python, torch and NumPy."""
    words = set(dir(builtins)) | set(dir(torch)) | set(dir(torch.Tensor)) | set(dir(np)) | set(dir(np.ndarray))
    for kind in (str, bytes, list, dict, set, tuple, Path, re.Pattern, re.Match):
        words |= set(dir(kind))
    for module in ("subprocess", "sys", "json", "os", "math", "importlib", "importlib.util", "importlib.abc"):
        words |= set(dir(importlib.import_module(module)))
    words |= set(dir(torch.cuda)) | {"meta_path", "executable", "stdout", "stderr", "returncode", "groups"}
    for path in PACKAGE.rglob("*.py"):
        if not path.is_relative_to(PACKAGE / "vlm"):
            for node in ast.walk(tree(path)):
                if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                    words.add(node.name)
                elif isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
                    words.add(node.target.id)
                elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                    words.add(node.id)
                elif isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store) and _is_self(node.value):
                    words.add(node.attr)
    return frozenset(words)


def _is_self(node: ast.expr) -> bool:
    return isinstance(node, ast.Name) and node.id == "self"


@cache
def usd_words() -> frozenset[str]:
    """Names that USD's own classes have."""
    words: set[str] = set()
    for name in ("Usd", "UsdGeom", "UsdPhysics", "UsdShade", "UsdLux", "Gf", "Sdf", "Tf"):
        module = importlib.import_module(f"pxr.{name}")
        for kind in vars(module).values():
            words |= set(dir(kind))
        words |= set(dir(module))
    return frozenset(words)


def strangers(source: str) -> set[str]:
    """Attributes in a source that nobody is known to have."""
    used = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    known = own_words() | lab_words() | usd_words() | VERIFIED.keys()
    return {name for name in used if name not in known}


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_attributes_and_methods_exist(path: Path) -> None:
    assert strangers(path.read_text(encoding="utf-8")) == set()


@pytest.mark.parametrize(
    "wrong", ["target.write_root_pos_to_sim(pose)", "view.set_massess(m, i)", "config.sim.physx.bounce_treshold = 1"]
)
def test_a_misspelt_name_would_be_found(wrong: str) -> None:
    assert strangers(wrong)


@pytest.mark.parametrize(
    "method",
    [
        "get_masses", "set_masses", "get_inertias", "set_inertias", "get_material_properties",
        "set_material_properties", "get_jacobians",
    ],
)  # fmt: skip
def test_methods_of_physx_views_are_called_by_isaac_lab_too(method: str) -> None:
    assert re.search(rf"root_physx_view\.{method}\(", lab_text())
    assert any(method in path.read_text() for path in FILES)


def test_settings_of_kit_are_ones_that_isaac_lab_knows_or_that_were_verified() -> None:
    used = {
        path for file in FILES for text in strings(file) for path in re.findall(r"(/(?:rtx|persistent)/[\w/]+)", text)
    }
    assert len(used) >= 3
    assert {path for path in used if path not in lab_text()} <= VERIFIED.keys()


def strings(path: Path) -> set[str]:
    return {
        node.value for node in ast.walk(tree(path)) if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


def test_modules_named_in_strings_are_known_too() -> None:
    named = {text for path in FILES for text in strings(path) if re.fullmatch(r"(omni|isaacsim|carb)(\.\w+)+", text)}
    assert named
    unknown = {text for text in named if f"import {text}" not in lab_text() and f"from {text} " not in lab_text()}
    assert unknown <= VERIFIED.keys()
