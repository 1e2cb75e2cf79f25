"""A run's score as a table."""

from __future__ import annotations

from collections.abc import Sequence

from rich.table import Table

from hpvqa.evaluate.score import Cell


def score_table(cells: Sequence[Cell], title: str) -> Table:
    """Accuracy by task, true side and camera, with the number of rows and of episodes behind it."""
    table = Table(title=title, title_justify="left")
    for name in ("task", "by", "value"):
        table.add_column(name)
    for name in ("accuracy", "correct", "rows", "episodes"):
        table.add_column(name, justify="right")
    shown = [cell for cell in cells if cell.task is not None] or list(cells)
    for number, cell in enumerate(shown):
        new_task = number == 0 or shown[number - 1].task != cell.task
        if new_task and number:
            table.add_section()
        new_kind = number == 0 or shown[number - 1].by != cell.by
        table.add_row(
            cell.task if new_task else "",
            cell.by if new_kind and cell.by != "all" else "",
            cell.value,
            "-" if cell.accuracy is None else f"{cell.accuracy:.3f}",
            str(cell.correct),
            str(cell.n),
            str(cell.episodes),
            style="bold" if cell.by == "all" else None,
        )
    return table
