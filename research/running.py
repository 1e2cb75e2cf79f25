"""Commands of research: settings from the command line, and what is wrong in one sentence, as with hpvqa's own."""

from __future__ import annotations

import sys
from typing import Any, TypeVar

import click
import yaml

from hpvqa.errors import HpvqaError, UsageError
from hpvqa.plain import Model, validated

T = TypeVar("T", bound=Model)


def run(command: click.Command) -> None:
    """Run it with the words of the command line, and end with its exit code where it fails."""
    try:
        command()
    except HpvqaError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)


def changed(settings: T, changes: tuple[str, ...]) -> T:
    """Settings with some values replaced.

    Args:
        settings: The settings.
        changes: Such as ``pointing.steps=100``.

    Raises:
        UsageError: There is no such setting, or the value does not suit it.
    """
    data: dict[str, Any] = settings.model_dump()
    for change in changes:
        name, equals, value = change.partition("=")
        *path, last = name.split(".")
        place: Any = data
        for part in path:
            place = place.get(part) if isinstance(place, dict) else None
        if not equals or not isinstance(place, dict) or last not in place:
            raise UsageError(f"--set looks like pointing.steps=100; there is no setting {name!r}")
        place[last] = yaml.safe_load(value)
    return validated(type(settings), data, "The command line")
