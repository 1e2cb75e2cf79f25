"""Kinds of values that options of several commands take; apart from recipes, which take a while to import."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import click
from annotated_types import Ge, Gt, Le
from click.shell_completion import CompletionItem
from pydantic import BaseModel

from hpvqa.errors import UsageError, nearest
from hpvqa.tasks import TASKS, get_task


class NameType(click.ParamType):  # type: ignore[type-arg] # generic from click 8.4 on
    """One of some known names; a wrong one is answered with the nearest.

    Args:
        name: What it is the name of.
        check: Raises an error that a user can read if there is no such name.
        known: All of them.
        meanings: What completion says of them.
    """

    def __init__(
        self, name: str, check: Callable[[str], object], known: Iterable[str], meanings: Mapping[str, str] | None = None
    ) -> None:
        self.name = name
        self.known = known
        self._check = check
        self._meanings = meanings or {}

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> str:
        """Check the name."""
        self._check(str(value))
        return str(value)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete names."""
        names = (name for name in self.known if name.startswith(incomplete))
        return [CompletionItem(name, help=self._meanings.get(name)) for name in names]


TASK = NameType("task", get_task, TASKS)
"""The name of a task."""


class NamesType(click.ParamType):  # type: ignore[type-arg]
    """Some of a few known names, with commas between them, or the word all; each once, in the usual order.

    Args:
        what: What they name, for an unknown one.
        known: All of them.
    """

    name = "NAME,..."

    def __init__(self, what: str, known: Sequence[str]) -> None:
        self._what = what
        self._known = known

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[str, ...]:
        """Check the names."""
        if isinstance(value, tuple):
            return value
        names = {name.strip() for name in str(value).split(",")} - {""}
        if not names:
            self.fail("it names nothing", param, ctx)
        if names == {"all"}:
            return tuple(self._known)
        for name in sorted(names - set(self._known)):
            raise UsageError(f"There is no {self._what} {name!r}; {nearest(name, self._known)}")
        return tuple(name for name in self._known if name in names)

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete their names."""
        done, _, begun = incomplete.rpartition(",")
        before = f"{done}," if done else ""
        return [CompletionItem(before + name) for name in self._known if name.startswith(begun)]


class ResolutionType(click.ParamType):  # type: ignore[type-arg]
    """A size such as 640x480."""

    name = "WxH"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> tuple[int, int]:
        """Read the two numbers."""
        if isinstance(value, tuple):
            return value
        match = re.fullmatch(r"(\d+)\s*[xX×]\s*(\d+)", str(value))
        if not match:
            self.fail(f"a resolution looks like 640x480, {value!r} does not", param, ctx)
        return int(match[1]), int(match[2])


def limits(model: type[BaseModel], field: str) -> dict[str, Any]:
    """The range of a number in a file, for the option that sets it."""
    found: dict[str, Any] = {}
    for limit in model.model_fields[field].metadata:
        if isinstance(limit, Ge | Gt):
            found |= {"min": limit.ge} if isinstance(limit, Ge) else {"min": limit.gt, "min_open": True}
        # The largest number of 64 bits is no limit that anybody needs to read.
        elif isinstance(limit, Le):
            found["max"] = limit.le
    return found


class Whole(click.IntRange):
    """A whole number in a range, of 64 bits at most."""

    name = "integer"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> int:
        """Read it."""
        number = int(super().convert(value, param, ctx))
        if abs(number) >= 2**63:
            self.fail("the number is too large", param, ctx)
        return number


class Number(click.FloatRange):
    """A number in a range; nan and the infinities are none."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> float:
        """Read it."""
        number = float(super().convert(value, param, ctx))
        if not math.isfinite(number):
            self.fail(f"{value!r} is not a finite number", param, ctx)
        return number


class FileOrName(click.ParamType):  # type: ignore[type-arg]
    """A YAML file, or the name of one that comes with the package."""

    name = "NAME|FILE"

    def __init__(self, names: Callable[[], list[str]]) -> None:
        self.names = names

    def shell_complete(self, ctx: click.Context, param: click.Parameter, incomplete: str) -> list[CompletionItem]:
        """Complete shipped names, and files."""
        found = [CompletionItem(name) for name in self.names() if name.startswith(incomplete)]
        return [*found, CompletionItem(incomplete, type="file")]
