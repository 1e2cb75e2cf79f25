"""Defaults of options: from variables, and from ``hpvqa.yaml`` in the working directory.

Click can read variables too, but what it takes for a flag's on and off differs from version to version.
"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import click

from hpvqa.errors import HpvqaError, UsageError, nearest
from hpvqa.files import read_yaml

FILE = Path("hpvqa.yaml")
"""File in the working directory that sets other defaults of options."""
_ON = {"1", "true", "yes", "on"}
_OFF = {"0", "false", "no", "off"}


def variable(command: str, option: click.Option) -> str:
    """The variable that sets another default of an option.

    Args:
        command: The words that call the command, such as ``explore run``.
        option: The option.
    """
    return f"{_prefix(command)}{_names(option)[0].upper().replace('-', '_')}"


def _prefix(command: str) -> str:
    return f"HPVQA_{command}_".upper().translate(str.maketrans(" -", "__"))


def take_defaults(ctx: click.Context, commands: Collection[str]) -> None:
    """Have the command that a group is about to call take its other defaults.

    Args:
        ctx: The context of the group.
        commands: All its commands.

    Raises:
        UsageError: See :func:`find_defaults`.
    """
    name, group = ctx.invoked_subcommand, ctx.command
    if not isinstance(group, click.Group) or name is None:
        return
    command = group.get_command(ctx, name)
    if isinstance(command, click.Group):
        # It does the same itself; what lies beside it, it does not know.
        _section(_read(FILE), FILE, _words(ctx), commands)
    elif command is not None:
        called = click.Context(command, ctx, info_name=name)
        ctx.default_map = {name: find_defaults(called, FILE, os.environ, commands)}


def find_defaults(
    ctx: click.Context, path: Path, environ: Mapping[str, str], commands: Collection[str]
) -> dict[str, Any]:
    """Other defaults of a command's options, by parameter; variables count before the file.

    Args:
        ctx: The context of the command.
        path: The file: for every command a mapping from options, without dashes before them, to values; for a command
            of several words, mappings in each other. It need not be there.
        environ: The environment. An empty variable is none.
        commands: All commands of the same group. What is said of others than this one is not looked at.

    Raises:
        UsageError: The file is not of that form, there is no such command or option, or a value is not possible.
    """
    return {**_from_file(ctx, path, commands), **_from_variables(ctx, environ, commands)}


def _options(command: click.Command) -> Iterator[click.Option]:
    return (parameter for parameter in command.params if isinstance(parameter, click.Option))


def _names(option: click.Option) -> list[str]:
    """The long names of an option without dashes before them, the longest first."""
    return sorted((flag.lstrip("-") for flag in option.opts if flag.startswith("--")), key=len, reverse=True)


def _words(ctx: click.Context) -> list[str]:
    """The words that call a command."""
    return [] if ctx.parent is None else [*_words(ctx.parent), str(ctx.info_name)]


def _from_variables(ctx: click.Context, environ: Mapping[str, str], commands: Collection[str]) -> dict[str, Any]:
    *above, _ = words = _words(ctx)
    name, group = " ".join(words), " ".join(above)
    beside = tuple(_prefix(f"{group} {other}") for other in commands)
    options = {variable(name, option): option for option in _options(ctx.command)}
    found: dict[str, Any] = {}
    for key in sorted(environ):
        text = environ[key]
        if above and text and key.startswith(_prefix(group)) and not key.startswith(beside):
            raise UsageError(f"The variable {key} is of no command of hpvqa {group}, which has {', '.join(commands)}")
        if not key.startswith(_prefix(name)) or not text:
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
    words = _words(ctx)
    name = " ".join(words)
    data = _read(path)
    for number, word in enumerate(words):
        known = commands if number == len(words) - 1 else None
        data = _section(data, path, words[:number], known).get(word) or {}
    options = {flag: option for option in _options(ctx.command) for flag in _names(option)}
    found: dict[str, Any] = {}
    for key, value in data.items():
        option = options.get(str(key).replace("_", "-"))
        if option is None:
            raise UsageError(f"{path} sets {key!r} for {name}, which has no such option; {nearest(str(key), options)}")
        if value is None:
            continue
        found[str(option.name)] = _checked(ctx, option, value, f"{path} sets {key!r} for {name} to {value!r}")
    return found


def _read(path: Path) -> Any:
    """What the file holds; nothing where there is none."""
    if not path.is_file():
        return {}
    try:
        return read_yaml(path) or {}
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}") from None
    except ValueError as error:
        raise UsageError(f"{path} cannot be read: {error}") from None


def _section(data: Any, path: Path, above: Sequence[str], known: Collection[str] | None) -> dict[Any, Any]:
    """What a file says of the commands of a group, by name; raise unless it is in that form.

    Args:
        data: What it says.
        path: The file.
        above: The words that call the group.
        known: The commands that there are; None: not known here.
    """
    if not isinstance(data, dict) or not all(isinstance(section, dict | None) for section in data.values()):
        where = f"{path}, under {' '.join(above)}," if above else f"{path}"
        raise UsageError(f"{where} must hold a mapping of options for each command, such as eval: {{backend: vllm}}")
    for name in data:
        if known is not None and name not in known:
            called = " ".join((*above, str(name)))
            raise UsageError(f"{path} names the command {called!r}, which does not exist; {nearest(str(name), known)}")
    return data


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
