"""The registered tasks. Adding one is adding a file here and its class to ``TASKS``."""

from __future__ import annotations

from hpvqa.errors import UsageError, nearest
from hpvqa.tasks.base import Task
from hpvqa.tasks.drop import Drop
from hpvqa.tasks.push import Push

TASKS: dict[str, type[Task]] = {task.name: task for task in (Push, Drop)}


def get_task(name: str) -> type[Task]:
    """A task by name.

    Raises:
        UsageError: There is no such task; the message names the nearest one.
    """
    if name not in TASKS:
        raise UsageError(f"There is no task {name!r}; {nearest(name, TASKS)}")
    return TASKS[name]
