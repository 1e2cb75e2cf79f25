"""The findings of ``hpvqa doctor``, drawn for a person to read."""

from __future__ import annotations

from rich.table import Table
from rich.text import Text

from hpvqa.doctor import Finding, can_simulate
from hpvqa.progress.console import PlainConsole


def print_findings(findings: list[Finding]) -> None:
    """Print what is there, then what is missing and what that would need."""
    console = PlainConsole()
    there = [(Text("yes", "green"), finding, finding.found or "") for finding in findings if finding.found is not None]
    missing = [
        (Text("missing", "bold red") if finding.required else Text("no", "yellow"), finding, finding.needs)
        for finding in findings
        if finding.found is None
    ]
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, 2, 0, 0))
    for mark, finding, text in (*there, *missing):
        table.add_row(mark, finding.name, Text(text, overflow="fold"))
    console.print(table)
    lacking = ", ".join(finding.name for finding in findings if finding.required and finding.found is None)
    console.print(
        "\nThe embedded simulator can run."
        if can_simulate(findings)
        else f"\nThe embedded simulator cannot run without: {lacking}."
    )
