"""The report of a run as tables for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table

from hpvqa.collect.report import Report


def print_report(report: Report, console: Console, *, deciles: bool) -> None:
    """Print what a run did.

    Args:
        report: The report.
        console: Where to.
        deciles: Whether to show failures by tenth of the hidden property.
    """
    table = Table(title=f"Episodes in {report.data}", title_justify="left")
    table.add_column("task")
    for heading in ("asked", "there before", "made", "failed attempts", "failed"):
        table.add_column(heading, justify="right")
    for name, task in report.tasks.items():
        numbers = (task.asked, task.already, task.made, task.failed_attempts, task.failed)
        table.add_row(name, *(str(number) for number in numbers))
    console.print(table)
    if deciles:
        console.print(_deciles(report))


def _deciles(report: Report) -> Table:
    table = Table(title="Failed attempts by hidden property", caption="Each attempt shows two objects.")
    table.title_justify = table.caption_justify = "left"
    table.add_column("task")
    for heading in ("property", "objects", "failed", "share"):
        table.add_column(heading, justify="right")
    for name, task in report.tasks.items():
        for decile in task.deciles:
            if decile.objects:
                values = f"{task.hidden} {decile.low:.2f} to {decile.high:.2f}"
                share = f"{decile.failed / decile.objects:.1%}"
                table.add_row(name, values, str(decile.objects), str(decile.failed), share)
        table.add_section()
    return table
