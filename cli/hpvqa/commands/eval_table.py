"""The result of a run, for a person and for programs."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.text import Text

from hpvqa.commands.grid_table import print_grid
from hpvqa.evaluate.folder import RunSettings
from hpvqa.evaluate.score import Cell, failures
from hpvqa.evaluate.session import Evaluated
from hpvqa.evaluate.statistics.interval import FEWEST_EPISODES
from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.tables.values import value_grid

_COLUMNS = ("accuracy", "95 %", "majority", "correct", "epis.", "eff. n")
_CAPTION = (
    "95 %: interval over episodes, since views of one episode are not independent. Majority: accuracy of always giving "
    "the more frequent answer. Eff. n: how many independent rows would be as informative."
)


def result_json(done: Evaluated) -> dict[str, Any]:
    """What ``hpvqa eval --json`` prints; ``cells`` is about the first of ``conditions``."""
    conditions = {name: [cell.model_dump(mode="json") for cell in cells] for name, cells in done.scores.items()}
    return {
        "run": str(done.out),
        "settings": done.settings.model_dump(mode="json"),
        "cells": next(iter(conditions.values()), []),
        "conditions": conditions,
        "values": {name: [cell.model_dump(mode="json") for cell in cells] for name, cells in done.values.items()},
        "failed": [
            {"file_name": row.file_name, "condition": row.condition, "error": row.error}
            for row in failures(done.replies)
        ],
    }


def print_result(done: Evaluated, console: Console) -> None:
    """Print the score that the run is judged by, a line for each other part, and rows that were not answered."""
    settings = done.settings
    title = f"{settings.model} on {settings.dataset} ({settings.split})"
    grids = []
    for name, cells in list(done.scores.items())[:1]:
        grids.append(score_grid(cells, title if name == "plain" else f"{title}, {name}"))
    if len(done.scores) > 1:
        grids.append(_conditions_grid(done.scores))
    for number, (name, values) in enumerate(done.values.items()):
        shown = [cell for cell in values if not number or cell.by == "all"]
        grids.append(value_grid({"": shown}, f"Values, {title}" if name == "plain" else f"Values, {title}, {name}"))
    for number, grid in enumerate(grids):
        if number:
            console.print()
        print_grid(grid, console)
    for mark in _marks(settings):
        console.print(Text(mark, style="yellow"))
    if done.note is not None:
        console.print(Text(f"{done.note}.", style="yellow"))
    failed = failures(done.replies)
    for prediction in failed:
        console.print(Text(f"not answered: {prediction.file_name} ({prediction.error})"), soft_wrap=True)
    if failed:
        rows_were = "1 row was" if len(failed) == 1 else f"{len(failed)} rows were"
        console.print(Text(f"{rows_were} not answered and not counted; run the same command again to try again."))
    console.print(Text(f"The run is in {done.out}"), soft_wrap=True)


def score_grid(cells: Sequence[Cell], title: str) -> Grid:
    """Accuracy by task, true side, camera and gap, with its interval, the majority's score and what is behind it."""
    # So few episodes do not tell how accuracy depends on the gap.
    few = {cell.task for cell in cells if cell.by == "all" and cell.episodes < FEWEST_EPISODES}
    told = [cell for cell in cells if cell.by != "gap" or cell.task not in few]
    shown = [cell for cell in told if cell.task is not None] or told
    tasks = dict.fromkeys(cell.task for cell in shown)
    groups = [
        Group(task or "", tuple(Line((_name(cell), *_numbers(cell))) for cell in shown if cell.task == task))
        for task in tasks
    ]
    invalid = sum(cell.invalid for cell in shown if cell.by == "all")
    return Grid(title, ("rows with", *_COLUMNS), tuple(groups), _caption(invalid))


def _conditions_grid(scores: Mapping[str, Sequence[Cell]]) -> Grid:
    tasks = dict.fromkeys(cell.task for cells in scores.values() for cell in cells if cell.task is not None)
    groups = [
        Group(
            task,
            tuple(
                Line((name, *_numbers(cell)))
                for name, cells in scores.items()
                for cell in cells
                if (cell.task, cell.by) == (task, "all")
            ),
        )
        for task in tasks
    ]
    return Grid("By condition", ("condition", *_COLUMNS), tuple(groups))


def _numbers(cell: Cell) -> tuple[str, ...]:
    interval = "-" if cell.interval is None else f"{cell.interval.low:.2f}–{cell.interval.high:.2f}"
    counts = (f"{cell.correct}/{cell.n}", str(cell.episodes), f"{cell.effective_n:.1f}")
    return (_share(cell.accuracy), interval, _share(cell.majority_accuracy), *counts)


def _name(cell: Cell) -> str:
    return {"side": f"answer {cell.value}", "gap": f"gap {cell.value}"}.get(cell.by, cell.value)


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


def _marks(settings: RunSettings) -> list[str]:
    marks = []
    if settings.privileged:
        marks.append("Privileged: this run uses information that no camera sees.")
    if settings.drawn is not None:
        marks.append(f"Sampled: {settings.drawn}.")
    if settings.resampling == "unknown":
        marks.append("The server may have dropped frames; it does not say.")
    return marks
