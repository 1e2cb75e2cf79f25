"""Defaults of options from ``hpvqa.yaml`` in the working directory."""

from __future__ import annotations

from collections.abc import Callable, Collection
from pathlib import Path
from typing import Any

import click

from hpvqa.errors import UsageError, nearest
from hpvqa.files import read_yaml


def read_defaults(
    path: Path, name: str, commands: Collection[str], load: Callable[[str], click.Command]
) -> dict[str, dict[str, Any]]:
    """The defaults that a file sets for one command, in click's form: by command and parameter.

    Args:
        path: The file: for every command a mapping from options, without dashes before them, to values.
        name: The command that is called; what is said of others is not looked at.
        commands: All commands.
        load: Gives a command by name.

    Raises:
        UsageError: The file is not of that form, or names an unknown command or option.
    """
    try:
        data = read_yaml(path) or {}
    except (OSError, ValueError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not isinstance(data, dict) or not all(isinstance(section, dict) for section in data.values()):
        raise UsageError(f"{path} must hold a mapping of options for each command, such as eval: {{backend: vllm}}")
    for section in data:
        if section not in commands:
            raise UsageError(
                f"{path} names the command {section!r}, which there is not; {nearest(str(section), commands)}"
            )
    options = {
        flag.removeprefix("--"): parameter
        for parameter in load(name).params
        if isinstance(parameter, click.Option)
        for flag in (*parameter.opts, *parameter.secondary_opts)
        if flag.startswith("--")
    }
    found: dict[str, Any] = {}
    for key, value in data.get(name, {}).items():
        option = options.get(str(key).replace("_", "-"))
        if option is None:
            raise UsageError(f"{path} sets {key!r} for {name}, which has no such option; {nearest(str(key), options)}")
        if option.is_flag and not isinstance(value, bool):
            raise UsageError(f"{path} sets {key!r} for {name} to {value!r}; it is true or false")
        if option.is_flag:
            # A flag such as --no-video stands for a value of its own.
            on = option.flag_value if isinstance(option.flag_value, bool) else True
            value = on if value else None
        if option.multiple and not isinstance(value, list | None):
            value = [value]
        if value is not None and option.name is not None:
            found[option.name] = value
    return {name: found}
