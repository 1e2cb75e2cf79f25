"""The report of a run as tables for a terminal."""

from __future__ import annotations

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpvqa.collect.estimate import Estimate
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


def print_estimate(estimate: Estimate, console: Console) -> None:
    """Print what a run would take."""
    table = Table(title=f"Episodes in {estimate.data}", title_justify="left")
    table.add_column("task")
    for heading in ("asked", "there", "missing", "of each"):
        table.add_column(heading, justify="right")
    for name, task in estimate.tasks.items():
        numbers = (task.asked, task.already, task.asked - task.already)
        table.add_row(name, *(str(number) for number in numbers), f"{task.bytes / 1e6:.1f} MB")
    console.print(table)
    time = "" if estimate.seconds is None else f" and {estimate.seconds / 60:.0f} minutes"
    console.print(f"About {estimate.bytes / 1e9:.2f} GB{time}; {estimate.free_bytes / 1e9:.1f} GB are free there.")
    for warning in estimate.warnings:
        console.print(Text(f"Warning: {warning}", style="yellow"), soft_wrap=True)


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
