"""``python -m research.coverage``: measure intervals and tests, and write the tables of docs/statistics.md."""

from __future__ import annotations

import os
from pathlib import Path

import click

from research.coverage.run import Grid, measure
from research.coverage.tables import text
from research.page import begin, write

PAGE = Path(__file__).parents[2] / "docs" / "statistics.md"
MARK = begin("python -m research.coverage")


@click.command()
@click.option(
    "--simulations", type=click.IntRange(min=2), default=1000, show_default=True, help="How often each setting."
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of everything drawn.")
@click.option("--workers", type=click.IntRange(min=1), default=os.cpu_count(), help="How many processes.")
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), default=PAGE, help="Page with the tables.")
def main(simulations: int, seed: int, workers: int, page: Path) -> None:
    """Simulate answers, and count how often each interval holds the truth and each test rejects it."""
    write(page, MARK, text(measure(Grid(), simulations, seed, workers), simulations))
    click.echo(f"The tables are in {page}")


if __name__ == "__main__":
    main()
