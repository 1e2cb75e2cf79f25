"""A run's score as a table."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from rich import box
from rich.table import Table

from hpvqa.evaluate.score import Cell

_CAPTION = (
    "95 %: interval over episodes, since views of one episode are not independent. majority: what always saying the "
    "more frequent true answer scores. eff. n: how many independent rows would be as sure."
)


def score_table(cells: Sequence[Cell], title: str) -> Table:
    """Accuracy by task, true side, camera and gap, with its interval, the majority's score and what is behind it."""
    shown = [cell for cell in cells if cell.task is not None] or list(cells)
    invalid = sum(cell.invalid for cell in shown if cell.by == "all")
    table = Table(
        title=title,
        caption=_caption(invalid),
        box=box.SIMPLE_HEAD,
        show_edge=False,
        padding=(0, 1, 0, 0),
        pad_edge=False,
    )
    table.title_justify = table.caption_justify = "left"
    table.add_column("task", overflow="fold")
    table.add_column("rows with", overflow="fold")
    for name in ("accuracy", "95 %", "majority", "correct", "epis.", "eff. n"):
        table.add_column(name, justify="right", no_wrap=True)
    for number, cell in enumerate(shown):
        new_task = number == 0 or shown[number - 1].task != cell.task
        if new_task and number:
            table.add_section()
        table.add_row(
            cell.task if new_task else "",
            _name(cell),
            _share(cell.accuracy),
            _interval(cell),
            _share(cell.majority_accuracy),
            f"{cell.correct}/{cell.n}",
            str(cell.episodes),
            f"{cell.effective_n:.1f}",
            style="bold" if cell.by == "all" else None,
        )
    return table


def condition_table(conditions: Mapping[str, Sequence[Cell]]) -> Table:
    """Accuracy of each task under each condition, with its interval."""
    table = Table(title="by condition", box=box.SIMPLE_HEAD, show_edge=False, padding=(0, 1, 0, 0), pad_edge=False)
    table.title_justify = "left"
    for name in ("condition", "task"):
        table.add_column(name)
    for name in ("accuracy", "95 %", "majority", "correct", "epis.", "eff. n"):
        table.add_column(name, justify="right", no_wrap=True)
    for name, cells in conditions.items():
        for number, cell in enumerate(cell for cell in cells if cell.task is not None and cell.by == "all"):
            table.add_row(
                name if number == 0 else "",
                cell.task,
                _share(cell.accuracy),
                _interval(cell),
                _share(cell.majority_accuracy),
                f"{cell.correct}/{cell.n}",
                str(cell.episodes),
                f"{cell.effective_n:.1f}",
            )
    return table


def _name(cell: Cell) -> str:
    return {"side": f"answer {cell.value}", "gap": f"gap {cell.value}"}.get(cell.by, cell.value)


def _interval(cell: Cell) -> str:
    return "-" if cell.interval is None else f"{cell.interval.low:.2f}–{cell.interval.high:.2f}"


def _share(share: float | None) -> str:
    return "-" if share is None else f"{share:.3f}"


def _caption(invalid: int) -> str:
    if not invalid:
        return _CAPTION
    counted = (
        "1 answer was none of the choices and counts"
        if invalid == 1
        else f"{invalid} answers were none of the choices and count"
    )
    return f"{counted} as wrong. {_CAPTION}"
