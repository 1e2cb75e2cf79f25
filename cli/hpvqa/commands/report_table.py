"""A report on a terminal."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpvqa.report.grid import Grid
from hpvqa.report.measure import Report
from hpvqa.report.tables import grids

_WIDTH = 80
"""Most columns that a table may take."""


def print_report(report: Report, console: Console) -> None:
    """Print every table, with what must be known to read them."""
    for run in report.runs:
        for note in run.notes:
            console.print(Text(f"{run.name}: {note}.", style="yellow"))
    for grid in grids(report):
        _print_grid(grid, console)
    for note in report.notes:
        console.print(Text(note, "yellow"))


def _print_grid(grid: Grid, console: Console) -> None:
    """Print a table whose headings may be as wide as all of it."""
    lines = [line.cells for group in grid.groups for line in group.lines]
    widths = [max(map(cell_len, column)) for column in zip(grid.columns, *lines, strict=True)]
    marks = [word for group in grid.groups for line in group.lines for mark in line.marks for word in mark.split()]
    widths[0] = max([widths[0], *map(cell_len, marks)])
    # What is not the name is never broken.
    gap = 2 if sum(widths) + 2 * len(widths) <= _WIDTH else 1
    widths[0] = min(widths[0], _WIDTH - sum(widths[1:]) - gap * (len(widths) - 1))
    console.print(Text(f"\n{grid.title}", "bold"))
    console.print(_rows([[Text(name, "dim") for name in grid.columns]], widths, gap))
    for group in grid.groups:
        if group.heading:
            console.print(_named(group.heading, group.marks, "bold", "  "))
        console.print(
            _rows([[_named(line.cells[0], line.marks), *line.cells[1:]] for line in group.lines], widths, gap)
        )
    for finding in grid.findings:
        console.print(Text(finding, "yellow"), width=_WIDTH)
    if grid.caption:
        console.print(Text(grid.caption, "dim"), width=_WIDTH)


def _rows(rows: Sequence[Sequence[Text | str]], widths: Sequence[int], gap: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, gap, 0, 0))
    for number, width in enumerate(widths):
        table.add_column(width=width, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _named(name: str, marks: Sequence[str], style: str = "", between: str = "\n") -> Text:
    text = Text(name, style)
    for mark in marks:
        text.append(f"{between}{mark}", "yellow")
    return text
