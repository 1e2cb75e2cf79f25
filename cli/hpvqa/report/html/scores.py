"""Figures of accuracy: by task, by the true answer, by camera and by condition."""

from __future__ import annotations

from dataclasses import replace

from hpvqa.evaluate.score import Cell
from hpvqa.report.html.svg import Lane, Mark, forest
from hpvqa.report.html.text import figure, figures
from hpvqa.report.measure import Report, RunReport
from hpvqa.report.tables.shifts import NO_SHIFT
from hpvqa.report.tables.words import share
from hpvqa.scene.spec import SIDES

_LEGEND = "Bars: 95 % intervals over episodes. Dashed line: 0.5. Tick: accuracy of the more frequent answer alone."

_ROOM = 34
"""Most letters of a label that leave room for the figures at the end of its row, also on a phone."""


def accuracy_figures(report: Report) -> str:
    """One figure a task, one row a run."""
    drawn = []
    for task in report.tasks:
        lanes = []
        for number, run in enumerate(report.runs):
            cell = run.main.cell(task)
            if cell is not None and cell.n:
                lanes.append(Lane(label(run), _detail(cell), [_mark(cell, number, run.name)]))
        title = task
        drawn.append(figure(title, forest(lanes, title), _LEGEND))
    return figures(drawn)


def shift_figures(report: Report) -> str:
    """One figure a task and model: the usual episodes, then each shift."""
    drawn = []
    numbers = {run.name: number for number, run in enumerate(report.runs)}
    for task in report.tasks:
        for usual in dict.fromkeys(pair.usual for pair in report.shifts):
            pairs = [
                (pair.shifted, result)
                for pair in report.shifts
                for result in pair.results
                if (pair.usual, result.task) == (usual, task)
            ]
            cell = report.runs[numbers[usual]].main.cell(task)
            if not pairs or cell is None:
                continue
            lanes = [Lane(NO_SHIFT, _detail(cell), [_mark(cell, numbers[usual], usual)])]
            for name, found in pairs:
                ends, detail = found.shifted_interval, f"{share(found.shifted)}  ({found.episodes} episodes)"
                tip = f"{name}: {share(found.shifted)}, 95 % {share(ends.low)} to {share(ends.high)}"
                mark = Mark(found.shifted, ends.low, ends.high, numbers[name], tip)
                lanes.append(Lane(found.shift, detail, [mark]))
            title = f"{task}, {usual}"
            drawn.append(figure(title, forest(lanes, title), _LEGEND))
    return figures(drawn)


def side_figures(report: Report) -> str:
    """One figure a task: for each run its accuracy where the true answer is left, and where it is right."""
    drawn = []
    for task in report.tasks:
        lanes = []
        for number, run in enumerate(report.runs):
            cells = {side: cell for side in SIDES if (cell := run.main.cell(task, "side", side)) is not None and cell.n}
            detail = " / ".join(share(cell.accuracy) for cell in cells.values())
            marks = [
                replace(_mark(cell, number, f"{run.name}, truth {side}"), to=side, blind=None)
                for side, cell in cells.items()
            ]
            if marks:
                lanes.append(Lane(label(run), detail, marks))
        caption = (
            "Marks point to the true answer: left above, right below. Far apart: the model prefers one "
            "side, whatever it is shown."
        )
        title = f"{task}, by the true answer"
        drawn.append(figure(title, forest(lanes, title), caption))
    return figures(drawn)


def camera_figures(report: Report) -> str:
    """One figure a task: a row a camera, in it a mark a run."""
    drawn = []
    for task in report.tasks:
        found: dict[str, list[Mark]] = {}
        for number, run in enumerate(report.runs):
            for cell in run.main.group(task, "camera"):
                found.setdefault(cell.value, []).append(_mark(cell, number, f"{run.name}, {cell.value}"))
        lanes = [Lane(camera, "", marks) for camera, marks in found.items()]
        title = f"{task}, by camera"
        drawn.append(figure(title, forest(lanes, title), _LEGEND))
    return figures(drawn)


def condition_figures(report: Report) -> str:
    """One figure a task: a row a condition, in it a mark a run."""
    if all(len(run.conditions) == 1 for run in report.runs):
        return ""
    drawn = []
    for task in report.tasks:
        found: dict[str, list[Mark]] = {}
        for number, run in enumerate(report.runs):
            for condition in run.conditions if len(run.conditions) > 1 else ():
                cell = condition.cell(task)
                if cell is not None and cell.n:
                    name = condition.condition
                    found.setdefault(name, []).append(_mark(cell, number, f"{run.name}, {name}"))
        lanes = [Lane(name, "", marks) for name, marks in found.items()]
        title = f"{task}, by condition"
        drawn.append(figure(title, forest(lanes, title), _LEGEND))
    return figures(drawn)


def label(run: RunReport) -> str:
    """A run's name in a figure, with its marks; the middle of a long name is left out."""
    room = _ROOM - sum(len(mark) + 3 for mark in run.marks)
    half = max(room // 2, 4)
    name = run.name if len(run.name) <= room else f"{run.name[:half]}…{run.name[1 - half :]}"
    return " · ".join((name, *run.marks))


def _detail(cell: Cell) -> str:
    return f"{share(cell.accuracy)}  ({cell.correct}/{cell.n})"


def _mark(cell: Cell, color: int, name: str) -> Mark:
    low, high = (None, None) if cell.interval is None else (cell.interval.low, cell.interval.high)
    tip = f"{name}: {share(cell.accuracy)} ({cell.correct}/{cell.n}), 95 % {share(low)} to {share(high)}, "
    tip += f"{cell.episodes} episodes"
    return Mark(cell.accuracy or 0.0, low, high, color, tip, blind=cell.majority_accuracy)
