"""``python -m research.published FILES``: write the tables of docs/published.md from published predictions."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.report.grid import Grid
from hpvqa.report.measure import measure
from hpvqa.report.reading import read_runs
from hpvqa.report.tables.bias import bias_grid
from hpvqa.report.tables.perspective import perspective_grid
from hpvqa.report.tables.scores import accuracy_grid, camera_grid, sides_grid
from research.page import begin, table, write
from research.published.findings import sentences

PAGE = Path(__file__).parents[2] / "docs" / "published.md"
MARK = begin("python -m research.published FILES")


@click.command()
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.option("--page", type=click.Path(path_type=Path, dir_okay=False), default=PAGE, help="Page with the tables.")
def main(files: tuple[Path, ...], page: Path) -> None:
    """Measure the predictions in FILES, in the public original's form."""
    runs = read_runs(files)
    report = measure(runs, command=(), created="")
    makers = (accuracy_grid, sides_grid, bias_grid, camera_grid, perspective_grid)
    grids = [grid for make in makers if (grid := make(report)) is not None]
    found = "\n".join(f"- {sentence}" for sentence in sentences(runs, report))
    write(page, MARK, "\n\n".join(["## What was found", found, *map(_markdown, grids)]))
    click.echo(f"The tables are in {page}")


def _markdown(grid: Grid) -> str:
    rows = [
        [group.heading, " ".join((line.cells[0], *(f"({mark})" for mark in line.marks))), *line.cells[1:]]
        for group in grid.groups
        for line in group.lines
    ]
    parts = [f"## {grid.title}", table(["", *grid.columns], rows), grid.caption]
    return "\n\n".join(part for part in parts if part)


if __name__ == "__main__":
    main()
