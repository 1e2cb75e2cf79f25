"""The registered tasks: those that come with the package, and those of other packages.

Adding one is adding a file here and its class to ``_SHIPPED``, or, in a package of one's own, an entry point of the
group ``hpvqa.tasks`` that names a task's class (docs/adding-a-task.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property

from hpvqa.errors import UsageError, nearest
from hpvqa.tasks.balance import BalanceTask
from hpvqa.tasks.base import Task
from hpvqa.tasks.drop import DropTask
from hpvqa.tasks.plugins import Plugin, find_plugins
from hpvqa.tasks.press import PressTask
from hpvqa.tasks.push import PushTask
from hpvqa.tasks.slide import SlideTask
from hpvqa.tasks.weigh import WeighTask

_SHIPPED: tuple[type[Task], ...] = (PushTask, DropTask, WeighTask, SlideTask, PressTask, BalanceTask)


class Tasks(Mapping[str, Task]):
    """All tasks by name. Other packages are looked for when a task is first needed: their modules import this one."""

    @cached_property
    def plugins(self) -> tuple[Plugin, ...]:
        """The tasks of other packages, also those that are left out."""
        return find_plugins([kind() for kind in _SHIPPED])

    @cached_property
    def _known(self) -> dict[str, Task]:
        others = (plugin.task for plugin in self.plugins if plugin.task is not None)
        return {task.name: task for task in (*(kind() for kind in _SHIPPED), *others)}

    def __getitem__(self, name: str) -> Task:
        """The task of a name."""
        return self._known[name]

    def __iter__(self) -> Iterator[str]:
        """Names, those of other packages last."""
        return iter(self._known)

    def __len__(self) -> int:
        """How many there are."""
        return len(self._known)


TASKS = Tasks()


def get_task(name: str) -> Task:
    """A task by name.

    Raises:
        UsageError: There is no such task; the message names the nearest one, or says why it is left out.
    """
    if name in TASKS:
        return TASKS[name]
    raise UsageError(_left_out(name) or f"There is no task {name!r}; {nearest(name, TASKS)}")


def not_installed(name: str) -> str:
    """Why data of a task that is not among ``TASKS`` cannot be understood, in a sentence that says what to do."""
    return _left_out(name) or f"The task {name!r} is not installed here; install the package that brings it"


def _left_out(name: str) -> str | None:
    return next((plugin.trouble for plugin in TASKS.plugins if plugin.name == name and plugin.trouble), None)
