"""``python -m research.pretrain``: make the embedded model."""

from __future__ import annotations

import shlex
import sys
import time
from pathlib import Path

import click

from hpvqa.progress.console import PlainConsole
from hpvqa.progress.reporter import reporting
from research.pretrain.run import pretrain
from research.pretrain.settings import PretrainSettings
from research.running import changed, run


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


if __name__ == "__main__":
    run(command)
