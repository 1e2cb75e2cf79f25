"""A report on a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.text import Text

from hpvqa.commands.grid_table import print_grid
from hpvqa.report.measure import Report
from hpvqa.report.tables import grids


def print_report(report: Report, console: Console) -> None:
    """Print every table, with what must be known to read them."""
    for run in report.runs:
        for note in run.notes:
            console.print(Text(f"{run.name}: {note}.", style="yellow"))
    for grid in grids(report):
        console.print()
        print_grid(grid, console)
    for note in report.notes:
        console.print(Text(note, "yellow"))
