"""``python -m research.adapt``: train an adapter of the embedded model on filmed episodes."""

from __future__ import annotations

import time
from pathlib import Path

import click

from hpvqa.progress.console import PlainConsole
from hpvqa.progress.reporter import reporting
from research.adapt.run import adapt
from research.adapt.settings import AdaptSettings
from research.running import changed, run


@click.command(
    epilog="""\b
Example:
  python -m research.reels push=40 drop=40 --seed 2000 --out check
  python -m research.adapt data/paper data/close --base models/base --check check/paper \
      --out runs/adapter --work runs/adapter.work

Interrupted, it goes on where it was when the same command is given again.
"""
)
@click.argument("data", type=click.Path(path_type=Path), nargs=-1, required=True)
@click.option("--base", required=True, help="Folder or name of the base.")
@click.option(
    "--check", type=click.Path(path_type=Path), multiple=True, required=True, help="Episodes that it is checked on."
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the adapter, a new one.")
@click.option("--work", type=click.Path(path_type=Path), required=True, help="Folder of tokens and checkpoints.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Any other setting, such as training.steps=100."
)
def command(
    data: tuple[Path, ...], base: str, check: tuple[Path, ...], out: Path, work: Path, changes: tuple[str, ...]
) -> None:
    """Train an adapter on filmed DATA to answer every task's own question."""
    settings = changed(AdaptSettings(), changes)
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        adapt(base, data, check, out, work, settings, reporter)


if __name__ == "__main__":
    run(command)
