"""``python -m research.choose``: make a tiny pooled model that chooses."""

from __future__ import annotations

import time
from pathlib import Path

import click

from hpvqa.progress.console import PlainConsole
from hpvqa.progress.reporter import reporting
from research.choose.run import choose
from research.choose.settings import ChooseSettings
from research.running import changed, run


@click.command(
    epilog="""\b
Example, from nothing, and how it plays:
  python -m research.choose --out models/choose
  hpvqa explore draw --scenes 96 --seed 4096 --out scenes
  hpvqa explore run --worlds scenes --model models/choose

Interrupted, it goes on where it was when the same command is given again.
"""
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the model, a new one.")
@click.option("--work", type=click.Path(path_type=Path), help="Folder of checkpoints.  [default: OUT with .work]")
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Of weights and batches.")
@click.option(
    "--set", "changes", multiple=True, metavar="KEY=VALUE", help="Any other setting, such as language.steps=100."
)
def command(out: Path, work: Path | None, seed: int, changes: tuple[str, ...]) -> None:
    """Train a tiny pooled model to point, and then to choose, on scenes of types that are not kept for evaluation."""
    settings = changed(ChooseSettings(seed=seed), changes)
    place = out.with_name(f"{out.name}.work") if work is None else work
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        choose(out, place, settings, reporter)


if __name__ == "__main__":
    run(command)
