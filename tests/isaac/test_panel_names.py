"""Every name of Kit that the panel uses is in the list that says where it was verified, and the stand-in knows it."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from pxr import Usd

from tests.isaac.kit import widgets
from tests.isaac.kit.services import EXTENSION
from tests.isaac.kit.session import Session

LIST: dict[str, dict[str, Any]] = yaml.safe_load(Path(__file__).with_name("names-kit.yaml").read_text(encoding="utf-8"))
ROOTS = ("omni", "carb", "isaacsim", "usdrt")
UI = sorted((EXTENSION / "hpvqa_collector" / "ui").rglob("*.py"))
TESTS = sorted((EXTENSION / "hpvqa_collector" / "tests").glob("*.py"))
CORE = sorted((EXTENSION / "hpvqa_collector").glob("*.py"))
PLAIN = {name for kind in (str, list, dict, set, tuple, int, Path) for name in dir(kind)}
"""Attributes that plain Python objects have."""


def dotted(node: ast.AST) -> list[str]:
    """The parts of a chain such as ``omni.kit.app.get_app``; nothing for any other expression."""
    if isinstance(node, ast.Name):
        return [node.id]
    if isinstance(node, ast.Attribute) and (before := dotted(node.value)):
        return [*before, node.attr]
    return []


def imported(tree: ast.Module) -> dict[str, str]:
    """What the names of a file stand for, as far as they come from Kit."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                found[alias.asname or alias.name.split(".")[0]] = (
                    alias.name if alias.asname else alias.name.split(".")[0]
                )
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.update({alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names})
    return {name: target for name, target in found.items() if target.split(".")[0] in ROOTS}


def kit_names(tree: ast.Module) -> Iterator[str]:
    """Full names of everything of Kit that a file uses; of a chain the longest one."""
    known = imported(tree)
    inner = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
    for node in ast.walk(tree):
        parts = dotted(node) if id(node) not in inner else []
        if parts and parts[0] in known:
            yield ".".join([known[parts[0]], *parts[1:]])


def calls(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Names of what is called with keywords, and the keywords."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and (isinstance(node.func, (ast.Attribute, ast.Name))):
            name = node.func.attr if isinstance(node.func, ast.Attribute) else node.func.id
            for keyword in node.keywords:
                if keyword.arg:
                    yield name, keyword.arg


def own_names() -> set[str]:
    """Everything that our own modules define: functions, classes, attributes, fields."""
    found: set[str] = set()
    for path in (*UI, *CORE):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
                found.add(node.name)
            elif isinstance(node, ast.AnnAssign) and isinstance(node.target, (ast.Name, ast.Attribute)):
                found.add(node.target.id if isinstance(node.target, ast.Name) else node.target.attr)
            elif isinstance(node, ast.Assign):
                for target in node.targets:
                    parts = target.elts if isinstance(target, ast.Tuple) else [target]
                    found |= {p.attr for p in parts if isinstance(p, ast.Attribute) and dotted(p)[:1] == ["self"]}
    return found


def trees(files: list[Path] = UI) -> list[ast.Module]:
    return [ast.parse(path.read_text(encoding="utf-8")) for path in files]


def test_names_are_those_of_the_list() -> None:
    used = {name for tree in trees([*UI, *TESTS]) for name in kit_names(tree) if name.count(".") > 0}
    # Annotations and bare modules are no use of a name.
    modules = {"omni.kit", "omni.ui", "omni.usd", "omni.ext", "carb.settings", "carb.eventdispatcher", "omni.kit.app"}
    modules |= {"omni.kit.test"}
    assert {name for name in used - modules if name.split(".")[0] in ROOTS} == set(LIST["names"])


def test_keywords_are_those_of_the_list() -> None:
    kinds = {thing.__name__ for thing in widgets.PUBLIC}
    kinds |= {"FilePickerDialog", "MenuItemDescription", "observe_event", "post_notification"}
    used: dict[str, set[str]] = {}
    for tree in trees():
        for name, keyword in calls(tree):
            if name in kinds:
                used.setdefault(name, set()).add(keyword)
            elif name == "kind":
                # Control makes a field of whichever kind its value needs.
                used.setdefault("field", set()).add(keyword)
    # Control adds the width where it is given.
    used["field"].add("width")
    assert used == {name: set(keywords) for name, keywords in LIST["keywords"].items()}


def test_members_are_those_of_the_list() -> None:
    ours, listed = own_names(), set(LIST["members"])
    python = {"ensure_future", "Task", "environ", "monotonic", "time", "cancel", "loads", "model_dump", "get_value"}
    used = set()
    for tree in trees():
        known = imported(tree)
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and dotted(node)[:1] not in [[name] for name in known]:
                used.add(node.attr)
    # pxr is real here: what it lacks fails in the tests of the preview.
    unknown = used - ours - PLAIN - python - listed - set(dir(builtins)) - set(dir(Usd.Stage))
    private = {name for name in unknown if name.startswith("_")}
    assert unknown - private == set()
    assert listed - used - {"on_startup", "on_shutdown"} == set()


def test_everything_says_where_it_was_verified() -> None:
    sources = set(LIST["sources"])
    entries = [*LIST["names"].items(), *LIST["members"].items()]
    entries += [(f"{name}.{key}", value) for name, part in LIST["keywords"].items() for key, value in part.items()]
    assert [name for name, where in entries if not where or set(where) - sources] == []


def test_the_stand_in_knows_each_name() -> None:
    modules = Session().modules()
    for name in LIST["names"]:
        parts = name.split(".")
        module = max((candidate for candidate in modules if name.startswith(f"{candidate}.")), key=len)
        thing: Any = modules[module]
        for part in parts[module.count(".") + 1 :]:
            thing = getattr(thing, part)


def test_a_name_that_is_not_listed_is_found() -> None:
    tree = ast.parse(
        "import omni.ui as ui\nimport omni.kit.app\nui.TreeView(columns=2)\nomni.kit.app.get_app().quit()\n"
    )
    assert {"omni.ui.TreeView", "omni.kit.app.get_app"} <= set(kit_names(tree))
    assert ("TreeView", "columns") in set(calls(tree))
