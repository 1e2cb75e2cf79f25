"""The job that the panel configures: the values of a recipe, and what may be done to them."""

from __future__ import annotations

import copy
from collections.abc import Mapping
from typing import Any

from hpvqa_collector.check import checked
from hpvqa_collector.errors import BadInputError
from hpvqa_collector.fields import Field, Path, camera_fields, recipe_fields, tasks_of


class Job:
    """A recipe in the making.

    Args:
        schema: The JSON schema of recipes.
    """

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.fields = {field.path: field for field in recipe_fields(schema)}
        self.camera_fields = camera_fields(schema)
        self.tasks = tasks_of(schema)
        self.active = {task.name: True for task in self.tasks}
        self._values = {path: copy.deepcopy(field.default) for path, field in self.fields.items()}
        self.version = 0
        """Grows with every change."""

    def get(self, path: Path) -> Any:
        """The value of a setting."""
        return copy.deepcopy(self._values[path])

    def set(self, path: Path, value: Any) -> None:
        """Change a setting.

        Raises:
            BadInputError: The value does not fit; nothing was changed.
        """
        self._values[path] = checked(self.fields[path], value)
        self.version += 1

    def set_active(self, task: str, active: bool) -> None:
        """Choose whether to collect a task.

        Raises:
            BadInputError: None would be left.
        """
        if not active and not any(on for name, on in self.active.items() if name != task):
            raise BadInputError("At least one task is needed")
        self.active[task] = active
        self.version += 1

    def reset(self, *prefixes: Path) -> None:
        """Set everything below some places back to its default: the paper's."""
        for path, field in self.fields.items():
            if any(path[: len(prefix)] == prefix for prefix in prefixes):
                self._values[path] = copy.deepcopy(field.default)
        self.version += 1

    def is_default(self, field: Field) -> bool:
        """Whether a setting has its default value."""
        return bool(self._values[field.path] == field.default)

    def cameras(self, task: str) -> list[dict[str, Any]]:
        """The cameras of a task, if the rig is written out; those that are switched off are not part of it."""
        rig = self._values["rig",]
        return copy.deepcopy(rig["tasks"].get(task, [])) if isinstance(rig, dict) else []

    def recipe(self) -> dict[str, Any]:
        """The job as a recipe: what ``hpvqa collect --recipe`` reads."""
        recipe: dict[str, Any] = {}
        for path, value in self._values.items():
            if value is None or (path[0] == "tasks" and not self.active[path[1]]):
                continue
            place = recipe
            for part in path[:-1]:
                place = place.setdefault(part, {})
            place[path[-1]] = copy.deepcopy(value)
        return recipe

    def load(self, recipe: Mapping[str, Any]) -> None:
        """Take over a recipe; what it does not say gets its default.

        Raises:
            BadInputError: A value does not fit; nothing was changed.
        """
        values = {path: checked(field, _look_up(recipe, field)) for path, field in self.fields.items()}
        tasks = recipe.get("tasks") or {}
        named = [name for name in self.active if tasks.get(name)]
        self._values = values
        self.active = {name: name in named or not named for name in self.active}
        self.version += 1


def _look_up(recipe: Mapping[str, Any], field: Field) -> Any:
    place: Any = recipe
    for part in field.path:
        if not isinstance(place, Mapping) or place.get(part) is None:
            return copy.deepcopy(field.default)
        place = place[part]
    return copy.deepcopy(place)
