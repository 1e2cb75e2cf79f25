"""Options that mean the same in every command that has them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from hpvqa.commands.param_types import TASK

F = TypeVar("F", bound=Callable[..., Any])

ALL = "all"
"""In place of a camera's name: every camera."""


def split_names(ctx: click.Context, option: click.Parameter, values: tuple[str, ...]) -> tuple[str, ...] | None:
    """Names that were given one by one or with commas between them, each once; none for the word all.

    Returns:
        The names; None if the option was not given.
    """
    if not values:
        return None
    names = tuple(dict.fromkeys(name.strip() for value in values for name in value.split(",") if name.strip()))
    if not names:
        raise click.BadParameter("it names nothing", ctx, option)
    return () if names == (ALL,) else names


def camera_option(default: str = ALL) -> Callable[[F], F]:
    """``--camera``, which the command gets as ``cameras``: names, none for all of them, or None if it was not given.

    Args:
        default: The cameras of a command that is told none, in words.
    """
    return click.option(
        "--camera",
        "cameras",
        multiple=True,
        metavar="NAME",
        callback=split_names,
        help=f"Only this camera; repeat it or put commas between names for several, all: every one.  "
        f"[default: {default}]",
    )


task_option = click.option("--task", type=TASK, help="Only this task.  [default: all]")
dataset_option = click.option(
    "--dataset",
    type=click.Path(path_type=Path),
    default=Path("dataset"),
    show_default=True,
    help="Folder of the data set.",
)
progress_option = click.option(
    "--progress-file",
    type=click.Path(path_type=Path),
    help="Also write progress to this file, one JSON object a line.  [default: none]",
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print the result as JSON.")
