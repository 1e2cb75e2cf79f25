"""Episodes as a table for a terminal."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpvqa.errors import printable
from hpvqa.listing import Entry
from hpvqa.tasks import TASKS


def print_entries(entries: Sequence[Entry], folder: Path, console: Console) -> None:
    """Print a line for each episode, and how many there are."""
    sources = {entry.source for entry in entries}
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("task")
    if len(sources) > 1:
        table.add_column("from")
    table.add_column("episode", justify="right")
    table.add_column("answer")
    table.add_column("hidden")
    names = list(dict.fromkeys(name for entry in entries for name in entry.values or {}))
    for name in names:
        table.add_column(name, justify="right")
    table.add_column("clips", justify="right")
    built = any(entry.split for entry in entries)
    table.add_column("split" if built else "outcome")
    for entry in entries:
        words = TASKS[entry.task].words_for
        known = entry.values or {}
        values = (words(known[name]) if name in known else "" for name in names)
        source = (Text(printable(entry.source)),) if len(sources) > 1 else ()
        outcome = entry.split if built else Text(printable(entry.outcome), "" if entry.outcome == "ok" else "red")
        clips = str(len(entry.cameras))
        table.add_row(entry.task, *source, str(entry.episode), entry.answer, entry.hidden, *values, clips, outcome)
    if entries:
        console.print(table)
    number = "1 episode" if len(entries) == 1 else f"{len(entries) or 'no'} episodes"
    console.print(Text(f"{folder} holds {number}."), soft_wrap=True)
