"""The registered tasks: those that come with the package, and those of other packages.

Adding one is adding a file here and its class to ``_SHIPPED``, or, in a package of one's own, an entry point of the
group ``hpvqa.tasks`` that names a task's class (docs/adding-a-task.md).
"""

from __future__ import annotations

from importlib.metadata import EntryPoint, entry_points

from hpvqa.errors import UsageError, nearest
from hpvqa.tasks.base import Task
from hpvqa.tasks.drop import DropTask
from hpvqa.tasks.push import PushTask

GROUP = "hpvqa.tasks"
"""The group of entry points by which other packages bring tasks."""
_SHIPPED: tuple[type[Task], ...] = (PushTask, DropTask)


def _registered() -> dict[str, Task]:
    found: dict[str, Task] = {kind.name: kind() for kind in _SHIPPED}
    for entry in sorted(entry_points(group=GROUP), key=lambda entry: entry.name):
        task = _loaded(entry)
        same = next(
            (other for other in found.values() if task.name == other.name or task.task_id == other.task_id), None
        )
        if same is not None:
            raise UsageError(
                f"The task {task.name!r} of {entry.value} has the name or the task_id of another task, {same.name!r}; "
                "change it, or uninstall that package"
            )
        found[task.name] = task
    return found


def _loaded(entry: EntryPoint) -> Task:
    try:
        kind = entry.load()
    except Exception as error:
        raise UsageError(f"The task {entry.name!r} of {entry.value} cannot be loaded: {error}") from error
    if not (isinstance(kind, type) and issubclass(kind, Task)):
        raise UsageError(f"The entry point {entry.name!r} of {entry.value} names no class of a task")
    return kind()


TASKS: dict[str, Task] = _registered()


def get_task(name: str) -> Task:
    """A task by name.

    Raises:
        UsageError: There is no such task; the message names the nearest one.
    """
    if name not in TASKS:
        raise UsageError(f"There is no task {name!r}; {nearest(name, TASKS)}")
    return TASKS[name]
