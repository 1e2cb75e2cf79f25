"""Defaults of options: from variables, and from ``hpvqa.yaml`` in the working directory.

Click can read variables too, but what it takes for a flag's on and off differs from version to version.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from pathlib import Path
from typing import Any

import click

from hpvqa.errors import HpvqaError, UsageError, nearest
from hpvqa.files import read_yaml

_ON = {"1", "true", "yes", "on"}
_OFF = {"0", "false", "no", "off"}


def variable(command: str, option: click.Option) -> str:
    """The variable that sets another default of an option."""
    return f"HPVQA_{command}_{_names(option)[0]}".upper().replace("-", "_")


def find_defaults(
    ctx: click.Context, path: Path, environ: Mapping[str, str], commands: Collection[str]
) -> dict[str, Any]:
    """Other defaults of a command's options, by parameter; variables count before the file.

    Args:
        ctx: The context of the command.
        path: The file: for every command a mapping from options, without dashes before them, to values. It need not be
            there.
        environ: The environment. An empty variable is none.
        commands: All commands. What is said of others than this one is not looked at.

    Raises:
        UsageError: The file is not of that form, there is no such command or option, or a value is not possible.
    """
    return {**_from_file(ctx, path, commands), **_from_variables(ctx, environ)}


def _options(command: click.Command) -> Iterator[click.Option]:
    return (parameter for parameter in command.params if isinstance(parameter, click.Option))


def _names(option: click.Option) -> list[str]:
    """The long names of an option without dashes before them, the longest first."""
    return sorted((flag.lstrip("-") for flag in option.opts if flag.startswith("--")), key=len, reverse=True)


def _from_variables(ctx: click.Context, environ: Mapping[str, str]) -> dict[str, Any]:
    name = str(ctx.info_name)
    options = {variable(name, option): option for option in _options(ctx.command)}
    found: dict[str, Any] = {}
    for key in sorted(environ):
        text = environ[key]
        if not key.startswith(f"HPVQA_{name.upper()}_") or not text:
            continue
        option = options.get(key)
        if option is None:
            raise UsageError(f"The variable {key} sets no option of hpvqa {name}; {nearest(key, options)}")
        value: Any = text
        if option.is_flag:
            value = text.strip().lower() in _ON if text.strip().lower() in _ON | _OFF else text
        elif option.multiple:
            value = list(option.type.split_envvar_value(text))
        found[str(option.name)] = _checked(ctx, option, value, f"The variable {key} is {text!r}")
    return found


def _from_file(ctx: click.Context, path: Path, commands: Collection[str]) -> dict[str, Any]:
    name = str(ctx.info_name)
    if not path.is_file():
        return {}
    try:
        data = read_yaml(path) or {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} cannot be read: {error}") from None
    if not isinstance(data, dict) or not all(isinstance(section, dict | None) for section in data.values()):
        raise UsageError(f"{path} must hold a mapping of options for each command, such as eval: {{backend: vllm}}")
    for section in data:
        if section not in commands:
            raise UsageError(
                f"{path} names the command {section!r}, which does not exist; {nearest(str(section), commands)}"
            )
    options = {flag: option for option in _options(ctx.command) for flag in _names(option)}
    found: dict[str, Any] = {}
    for key, value in (data.get(name) or {}).items():
        option = options.get(str(key).replace("_", "-"))
        if option is None:
            raise UsageError(f"{path} sets {key!r} for {name}, which has no such option; {nearest(str(key), options)}")
        if value is None:
            continue
        found[str(option.name)] = _checked(ctx, option, value, f"{path} sets {key!r} for {name} to {value!r}")
    return found


def _checked(ctx: click.Context, option: click.Option, value: Any, said: str) -> Any:
    """A value as click takes it for a default, if the option could be given it."""
    if option.is_flag:
        if not isinstance(value, bool):
            raise UsageError(f"{said}; it must be true or false")
        return value
    several = option.multiple and isinstance(value, list)
    texts = [_text(part, said) for part in (value if several else [value])]
    given = texts if option.multiple else texts[0]
    try:
        option.type_cast_value(ctx, given)
    except click.UsageError as error:
        raise UsageError(f"{said}: {error.message}") from None
    except HpvqaError as error:
        raise UsageError(f"{said}: {error}") from None
    return given


def _text(value: Any, said: str) -> str:
    """A value as it would be typed."""
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        raise UsageError(f"{said}; it must be a single text or number")
    text = str(value)
    if "\0" in text:
        raise UsageError(f"{said}, which holds a NUL character")
    return text
