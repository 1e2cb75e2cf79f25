"""Every name that our adapter of Isaac Lab 3 takes from it exists in its sources, unpacked and not installed."""

from __future__ import annotations

import ast
import re
from functools import cache
from pathlib import Path

import pytest

import hpvqa
from tests.isaac.sources import LAB_3
from tests.isaac.test_names import FOLDER as ISAAC
from tests.isaac.test_names import foreign_imports, module_attributes, own_words, tree, usd_words

FOLDER = Path(hpvqa.__file__).parent / "sim" / "isaaclab3"


def needed(files: list[Path]) -> set[Path]:
    """Files of the adapter of Isaac Sim that these need, directly or through others of them."""
    found: set[Path] = set()
    while files:
        for node in ast.walk(tree(files.pop())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[:3] == ["hpvqa", "sim", "isaac"]:
                names = str(node.module).split(".")[3:] or [alias.name for alias in node.names]
                new = {ISAAC / f"{name}.py" for name in names} - found
                found |= new
                files += new
    return found


OWN = sorted(FOLDER.glob("*.py"))
FILES = [*OWN, *sorted(needed([*OWN]))]
FOREIGN = ("isaaclab", "isaaclab_newton", "isaaclab_ov", "isaaclab_physx")
OTHERS = {
    "newton_sensor": "Isaac Lab's renderer",
    "shape_label": "Newton 1.6.1, newton.Model",
    "shape_color": "Newton 1.6.1, newton.Model",
    "create_default_light": "Newton 1.6.1, newton.sensors.SensorTiledCamera.utils",
    "_SensorTiledCamera__render_context": "Newton 1.6.1, newton.sensors.SensorTiledCamera; private",
    "lights_orientation": "Newton 1.6.1, its RenderContext",
    "is_cuda_available": "Warp 1.17.0",
    "set_num_threads": "PyTorch",
    "vec3f": "Warp 1.17.0",
    "from_torch": "Warp 1.17.0",
    "to_torch": "Warp 1.17.0",
    "Converter": "mujoco-usd-converter 0.8.0",
    "convert": "mujoco-usd-converter 0.8.0",
    "RIGID_BODY_SHAPE_FRICTION_AND_RESTITUTION": "ovphysx 0.6.4, ovphysx.types.TensorType",
}
"""Names that are of none of them, and whose they are; all were run by `make isaac-test`."""


@cache
def module_text(module: str) -> str | None:
    """The source and the stub of a module of Isaac Lab."""
    base = LAB_3.folder() / Path(*module.split("."))
    parts = [base.with_suffix(end) for end in (".py", ".pyi")] + [base / f"__init__{end}" for end in (".py", ".pyi")]
    texts = [path.read_text(encoding="utf-8") for path in parts if path.is_file()]
    return "\n".join(texts) if texts else None


def has(module: str, name: str) -> bool:
    """Whether a module has a name: defined or imported there, or by a star from the one beside it."""
    if module_text(f"{module}.{name}") is not None:
        return True
    text = module_text(module) or ""
    if re.search(rf"\b{name}\b", text):
        return True
    up = module.split(".")
    stars = re.findall(r"^from (\.+)([\w.]*) import \*", text, re.MULTILINE)
    beside = [".".join([*up[: len(up) - len(dots) + 1], *filter(None, [rest])]) for dots, rest in stars]
    beside += re.findall(r"^from (isaaclab[\w.]*) import \*", text, re.MULTILINE)
    return any(has(other, name) for other in beside if other != module)


IMPORTS = sorted({(module, name or "") for path in FILES for module, name in foreign_imports(path, FOREIGN)})


@pytest.mark.parametrize(("module", "name"), IMPORTS)
def test_what_we_import_is_there(module: str, name: str) -> None:
    assert module_text(module) is not None
    assert not name or has(module, name)


def test_there_are_such_imports() -> None:
    assert len(IMPORTS) > 20
    assert not has("isaaclab.sensors", "CameraConfiguration")


@cache
def words() -> frozenset[str]:
    """Every identifier in the packages' sources."""
    found: set[str] = set()
    for package in FOREIGN:
        for path in (LAB_3.folder() / package).rglob("*.py*"):
            found |= set(re.findall(r"[A-Za-z_]\w*", path.read_text(encoding="utf-8")))
    return frozenset(found)


def strangers(source: str) -> set[str]:
    used = {node.attr for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Attribute)}
    return used - own_words() - words() - usd_words() - OTHERS.keys()


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.name)
def test_attributes_and_methods_exist(path: Path) -> None:
    assert strangers(path.read_text(encoding="utf-8")) == set()


def test_a_misspelt_name_would_be_found() -> None:
    assert strangers("target.write_root_pos_to_sim_index(root_pose=pose)") == {"write_root_pos_to_sim_index"}


@pytest.mark.parametrize(("module", "name"), module_attributes(FILES))
def test_what_we_take_from_a_module_is_there(module: str, name: str) -> None:
    assert has(module, name)


@pytest.mark.parametrize(
    "method",
    [
        "set_masses_index", "set_inertias_index", "write_root_pose_to_sim_index", "write_root_velocity_to_sim_index",
        "write_joint_state_to_sim_index", "write_joint_stiffness_to_sim_index", "write_joint_damping_to_sim_index",
    ],
)  # fmt: skip
def test_writers_take_the_keywords_that_we_give(method: str) -> None:
    """Writers of Isaac Lab 3 take keywords only; a wrong one would fail at the first reset."""
    calls = [
        node
        for path in FILES
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == method
    ]
    assert calls
    definitions = [
        node
        for kind in ("rigid_object", "articulation")
        for node in ast.walk(tree(LAB_3.folder() / "isaaclab_ov" / "assets" / kind / f"{kind}.py"))
        if isinstance(node, ast.FunctionDef) and node.name == method
    ]
    taken = {argument.arg for node in definitions for argument in node.args.kwonlyargs}
    for call in calls:
        assert not call.args
        assert {keyword.arg for keyword in call.keywords} <= taken
