"""Tasks of other packages: found by their entry points, and left out if they would harm the others."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points

from hpvqa.scene.spec import THING_NAME
from hpvqa.tasks.base import Task

GROUP = "hpvqa.tasks"
"""The group of entry points by which other packages bring tasks."""
FIRST_ID = 1000
"""Smaller values of ``task_id`` are kept for tasks that come with hpvqa."""


@dataclass(frozen=True)
class Plugin:
    """A task of another package.

    Attributes:
        name: What it is called.
        package: The distribution that brings it.
        version: Of the distribution.
        task: The task; None if it is left out.
        trouble: Why it is left out, in a sentence that says what to do.
    """

    name: str
    package: str
    version: str
    task: Task | None = None
    trouble: str = ""


def find_plugins(shipped: Sequence[Task]) -> tuple[Plugin, ...]:
    """All tasks of other packages, by name; none of them is an error, whatever is wrong with it."""
    found: list[Plugin] = []
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: (entry.name, entry.value)):
        others = [*shipped, *(plugin.task for plugin in found if plugin.task is not None)]
        package, version = (entry.dist.name, entry.dist.version) if entry.dist is not None else (entry.value, "")
        try:
            found.append(Plugin(entry.name, package, version, _loaded(entry, others)))
        except ValueError as error:
            whole = f"{package} {version}".strip()
            trouble = f"The task {entry.name!r} of {whole} is left out: {error}; mend or uninstall that package"
            found.append(Plugin(entry.name, package, version, trouble=trouble))
    return tuple(found)


def _loaded(entry: EntryPoint, others: Iterable[Task]) -> Task:
    """The task that an entry point names.

    Raises:
        ValueError: It cannot be loaded, lacks something, or has the name or the number of another one.
    """
    try:
        kind = entry.load()
    except (Exception, SystemExit) as error:
        raise ValueError(f"it cannot be loaded ({_words(error)})") from None
    if not (isinstance(kind, type) and issubclass(kind, Task)):
        raise ValueError(f"{entry.value} is no class of a task")
    if lacking := _lacking(kind):
        raise ValueError(f"{entry.value} lacks {lacking}")
    if kind.name != entry.name or not re.fullmatch(THING_NAME, entry.name):
        raise ValueError(f"its entry point must be called as the task is ({kind.name!r}), in small letters and digits")
    if type(kind.task_id) is not int or kind.task_id < FIRST_ID:
        raise ValueError(f"its task_id must be a whole number, {FIRST_ID} or larger, not {kind.task_id!r}")
    for other in others:
        if kind.name == other.name or kind.task_id == other.task_id:
            raise ValueError(f"it has the name or the task_id of another task, {other.name!r}")
    try:
        # Recipes of all tasks are made from these.
        kind.ranges().model_dump_json()
        kind.ranges.model_json_schema()
        return kind()
    except Exception as error:
        raise ValueError(f"it cannot be used ({_words(error)})") from None


def _lacking(kind: type[Task]) -> str:
    """What a task or its probe does not say of what all must, in words."""
    found = _unsaid(kind)
    if "probe" not in found:
        found += [f"probe.{name}" for name in _unsaid(type(kind.probe))]
    return ", ".join(found)


def _unsaid(kind: type) -> list[str]:
    declared = {name for base in kind.__mro__ for name in inspect.get_annotations(base) if not name.startswith("_")}
    return sorted(name for name in declared if not hasattr(kind, name))


def _words(error: BaseException) -> str:
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text}" if text else type(error).__name__
