"""A data set that was built, for a person and for programs."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpvqa.dataset.build import Built
from hpvqa.dataset.counts import count_rows
from hpvqa.errors import printable


def summary(built: Built) -> dict[str, Any]:
    """What ``hpvqa build --json`` prints."""
    return {
        "out": str(built.out),
        "fingerprint": built.fingerprint,
        "rows": {split: len(rows) for split, rows in built.rows.items()},
        "counts": [count.model_dump() for count in count_rows(built.rows)],
        "notes": list(built.notes),
    }


def print_built(built: Built, console: Console) -> None:
    """Print how many episodes and rows each split holds, and what is worth knowing."""
    table = Table()
    for name in ("task", "split"):
        table.add_column(name)
    counts = count_rows(built.rows)
    # Columns that would be empty are left out.
    more = [name for name in ("values", "paraphrased") if any(getattr(count, name) for count in counts)]
    columns = ["episodes", "left", "right", "rows", *more]
    for name in columns:
        table.add_column(name, justify="right")
    for count in counts:
        table.add_row(count.task, count.split, *(str(getattr(count, name)) for name in columns))
    table.add_section()
    total = [sum(getattr(count, name) for count in counts) for name in columns]
    table.add_row("all", "", *map(str, total), style="bold")
    console.print(table)
    for note in built.notes:
        console.print(Text(printable(f"Note: {note}."), style="yellow"))
    console.print(Text(f"The data set is in {built.out}"), soft_wrap=True)
