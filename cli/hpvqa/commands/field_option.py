"""Options that set fields of models: values, range, default and help are those of the field."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, TypeVar, get_args, get_origin

import click
from pydantic import BaseModel

from hpvqa.commands.param_types import Number, Whole, limits

F = TypeVar("F", bound=Callable[..., Any])


def field_option(
    model: type[BaseModel], field: str, flag: str | None = None, *, default: str | None = None, **given: Any
) -> Callable[[F], F]:
    """The option that sets a field; without it, the command gets None.

    Args:
        model: The model.
        field: Its field: a choice, a number, a path or a text.
        flag: The option's name, unless it is that of the field.
        default: What follows if the option is not given, in words, empty: nothing is said of it; None: the field's own.
        given: What else click is told.
    """
    info = model.model_fields[field]
    usual = info.default if default is None else default
    text = f"{usual:g}" if isinstance(usual, float) else str(usual or "")
    words = (info.description or "", f"[default: {text}]" if text else "")
    given = {"type": _type(model, field), "help": "  ".join(filter(None, words)), **given}
    return click.option(flag or f"--{field.replace('_', '-')}", **given)


def _type(model: type[BaseModel], field: str) -> Any:
    kind = model.model_fields[field].annotation
    if get_origin(kind) is Literal:
        return click.Choice(get_args(kind))
    (kind,) = (part for part in get_args(kind) or (kind,) if part is not type(None))
    if kind in (int, float):
        return (Whole if kind is int else Number)(**limits(model, field))
    return click.Path(path_type=Path) if kind is Path else kind
