"""The settings of a job, read from the JSON schema of recipes: one description serves command line, file and panel."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Path = tuple[str, ...]
"""Where a setting stands in a recipe, such as ``("tasks", "push", "episodes")``."""

_SHAPES = {
    ("number", "number"): "range",
    ("integer", "integer"): "size",
    ("number",) * 3: "vector",
    ("number",) * 4: "quaternion",
}
_KINDS = {"integer": "integer", "number": "number", "boolean": "switch", "string": "text"}


class UnknownSchemaError(Exception):
    """The schema has something that the panel does not know how to show."""


@dataclass(frozen=True)
class Field:
    """One setting.

    Attributes:
        path: Where it stands in a recipe.
        title: What to write beside it.
        description: What it means; the tooltip.
        kind: ``integer``, ``number``, ``switch``, ``text``, ``choice``, ``range`` (low, high), ``size`` (width,
            height), ``vector``, ``quaternion`` or ``rig``.
        default: Its value if nothing is said.
        optional: Whether it may be left open (None).
        minimum: Least value, if there is one.
        maximum: Greatest value, if there is one.
        choices: What a ``choice`` can be.
    """

    path: Path
    title: str
    description: str
    kind: str
    default: Any
    optional: bool = False
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def unit(self) -> str:
        """What it is measured in, as its description says in brackets; empty if in nothing."""
        found = re.search(r"\[([^\[\]]+)\]", self.description)
        return found[1] if found else ""

    @property
    def name(self) -> str:
        """Its place as one word."""
        return ".".join(self.path)


@dataclass(frozen=True)
class TaskInfo:
    """A task that can be collected."""

    name: str
    title: str


def recipe_fields(schema: Mapping[str, Any]) -> list[Field]:
    """All settings of a recipe, in the order of the schema.

    Raises:
        UnknownSchemaError: The schema holds a kind of setting that the panel cannot show.
    """
    return list(_walk(schema, (), schema))


def tasks_of(schema: Mapping[str, Any]) -> list[TaskInfo]:
    """The tasks that a recipe can name."""
    tasks = _resolve(schema["properties"]["tasks"], schema)["properties"]
    return [TaskInfo(name, task["description"].rstrip(".")) for name, task in tasks.items()]


def camera_fields(schema: Mapping[str, Any]) -> dict[str, Field]:
    """The settings of a camera of a rig, by name."""
    return {field.path[0]: field for field in _walk(schema["$defs"]["RigCamera"], (), schema)}


def _walk(model: Mapping[str, Any], path: Path, schema: Mapping[str, Any]) -> Iterator[Field]:
    for name, raw in model["properties"].items():
        part, optional = _without_null(raw, schema)
        here = (*path, name)
        if "properties" in part:
            yield from _walk(part, here, schema)
        else:
            yield _field(here, raw, part, optional)


def _without_null(raw: Mapping[str, Any], schema: Mapping[str, Any]) -> tuple[Mapping[str, Any], bool]:
    options = [option for option in raw.get("anyOf", ()) if option.get("type") != "null"]
    if len(options) == 1:
        return _resolve(options[0], schema), True
    return _resolve(raw, schema), False


def _resolve(part: Mapping[str, Any], schema: Mapping[str, Any]) -> Mapping[str, Any]:
    if "$ref" in part:
        found: Mapping[str, Any] = schema["$defs"][part["$ref"].rpartition("/")[2]]
        return found
    return part


def _field(path: Path, raw: Mapping[str, Any], part: Mapping[str, Any], optional: bool) -> Field:
    kind, choices = _kind(path, part)
    title = raw.get("title") or path[-1].replace("_", " ")
    return Field(
        path=path,
        title=title[:1].upper() + title[1:].lower(),
        description=raw["description"],
        kind=kind,
        default=raw.get("default"),
        optional=optional,
        minimum=part.get("minimum", part.get("exclusiveMinimum")),
        maximum=part.get("maximum", part.get("exclusiveMaximum")),
        choices=choices,
    )


def _kind(path: Path, part: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    if "const" in part:
        return "choice", (part["const"],)
    if "enum" in part:
        return "choice", tuple(part["enum"])
    shape = tuple(item.get("type") for item in part.get("prefixItems", ()))
    if shape in _SHAPES:
        return _SHAPES[shape], ()
    if path == ("rig",):
        return "rig", ()
    if part.get("type") in _KINDS:
        return _KINDS[part["type"]], ()
    raise UnknownSchemaError(f"the panel has no control for {'.'.join(path)}: {part}")
