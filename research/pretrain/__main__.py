"""``python -m research.pretrain``: make the embedded model."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path
from typing import Any, TypeVar

import click
import yaml

from hpvqa.errors import HpvqaError, UsageError
from hpvqa.plain import Model, validated
from hpvqa.progress.console import PlainConsole
from hpvqa.progress.reporter import reporting
from research.pretrain.run import pretrain
from research.pretrain.settings import PretrainSettings

T = TypeVar("T", bound=Model)


@click.command(
    epilog="""\b
Example, from nothing:
  python -m research.reels push=600 drop=1500 --seed 1000 --out data
  python -m research.pretrain data/paper data/close --out models/base

Interrupted, it goes on where it was when the same command is given again.
"""
)
@click.argument("data", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the model, a new one.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder of checkpoints.  [default: OUT with .work]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of everything drawn.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Any other setting, such as pointing.steps=100."
)
def command(data: tuple[Path, ...], out: Path, work: Path | None, seed: int, changes: tuple[str, ...]) -> None:
    """Train a small model on filmed DATA to see, and to answer visible questions; the hidden ones it can only guess."""
    settings = changed(PretrainSettings(seed=seed), changes)
    place = out.with_name(f"{out.name}.work") if work is None else work
    told = shlex.join(["python", "-m", "research.pretrain", *sys.argv[1:]])
    console = PlainConsole()
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        scores = pretrain(data, out, place, settings, reporter, told)
    for entry in scores:
        interval = f"{entry.interval.low:.3f} to {entry.interval.high:.3f}"
        console.print(f"{entry.task} {entry.question}: {entry.right:.3f} ({interval}, {entry.episodes} episodes)")


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


if __name__ == "__main__":
    try:
        command()
    except HpvqaError as error:
        click.echo(f"Error: {error}", err=True)
        sys.exit(error.exit_code)
