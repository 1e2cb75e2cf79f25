"""A table of plain words on a terminal of any width."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from hpvqa.report.grid import Grid, Line

_WIDTH = 80
"""Most columns that a table may take."""
_INDENT = "  "


def print_grid(grid: Grid, console: Console) -> None:
    """Print a table; only its headings may be as wide as the terminal.

    Where names do not fit beside the numbers, they stand above them; where not even the numbers fit side by side, they
    flow like words, each with the name of its column.
    """
    room = min(_WIDTH, console.width)
    columns = list(zip(grid.columns, *(line.cells for group in grid.groups for line in group.lines), strict=True))
    widths = [max(map(cell_len, column)) for column in columns]
    marks = [word for group in grid.groups for line in group.lines for mark in line.marks for word in mark.split()]
    widths[0] = max([widths[0], *map(cell_len, marks)])
    gap = 2 if sum(widths) + 2 * len(widths) <= room else 1
    beside = sum(widths[1:]) + gap * (len(widths) - 1)
    flowing = beside + len(_INDENT) > room
    widths[0] = min(widths[0], room - beside)
    console.print(Text(grid.title, "bold"))
    if not flowing:
        first = grid.columns[0] if cell_len(grid.columns[0]) <= widths[0] else ""
        console.print(_rows([[Text(name, "dim") for name in (first, *grid.columns[1:])]], widths, gap))
    for group in grid.groups:
        if group.heading:
            console.print(_named(group.heading, group.marks, "bold", _INDENT))
        for line in group.lines:
            words = (line.cells[0], *(word for mark in line.marks for word in mark.split()))
            if max(map(cell_len, words)) <= widths[0] and not flowing:
                console.print(_rows([[_named(line.cells[0], line.marks), *line.cells[1:]]], widths, gap))
                continue
            console.print(_named(line.cells[0], line.marks, between=_INDENT), width=room)
            if flowing:
                console.print("\n".join(_flowing(grid.columns, line, room)), highlight=False, markup=False)
            else:
                console.print(_rows([["", *line.cells[1:]]], widths, gap))
    for finding in grid.findings:
        console.print(Text(finding, "yellow"), width=room)
    if grid.caption:
        console.print(Text(grid.caption, "dim"), width=room)


def _rows(rows: Sequence[Sequence[Text | str]], widths: Sequence[int], gap: int) -> Table:
    table = Table(box=None, show_header=False, pad_edge=False, padding=(0, gap, 0, 0))
    for number, width in enumerate(widths):
        table.add_column(width=width, justify="right" if number else "left", overflow="fold")
    for row in rows:
        table.add_row(*row)
    return table


def _flowing(columns: Sequence[str], line: Line, room: int) -> list[str]:
    """The numbers of a line, each behind the name of its column, none of them broken."""
    lines: list[str] = []
    for name, cell in zip(columns[1:], line.cells[1:], strict=True):
        words = f"{name} {cell}"
        if lines and cell_len(lines[-1]) + cell_len(words) + 2 <= room:
            lines[-1] += f"  {words}"
        else:
            lines.append(f"{_INDENT}{words}")
    return lines


def _named(name: str, marks: Sequence[str], style: str = "", between: str = "\n") -> Text:
    text = Text(name, style)
    for mark in marks:
        text.append(f"{between}{mark}", "yellow")
    return text
