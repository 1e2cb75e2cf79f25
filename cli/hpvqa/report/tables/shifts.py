"""One model on usual episodes, and on those that change one thing."""

from __future__ import annotations

from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.measure import Report
from hpvqa.report.tables.comparisons import FEW, FEW_MEANS
from hpvqa.report.tables.words import interval_words, p_value, range_words, share, signed

NO_SHIFT = "no shift"
NOT_PAIRED = "not paired"
_CAPTION = (
    "Shifts change one thing, for testing only. Difference: shift minus usual, on rows of the same episodes and "
    "cameras; p of equal accuracy, by episode."
)
_UNPAIRED = (
    " Not paired: the data sets have no episode in common (same seed and number), so all rows of both count, as of two "
    "independent samples."
)


def shift_grid(report: Report) -> Grid | None:
    """Accuracy on usual episodes and on each shift; None without a run on a shift that can be compared."""
    groups = []
    by_name = {run.name: run for run in report.runs}
    for task in report.tasks:
        for usual in dict.fromkeys(pair.usual for pair in report.shifts):
            found = [
                result
                for pair in report.shifts
                for result in pair.results
                if (pair.usual, result.task) == (usual, task)
            ]
            cell = by_name[usual].main.cell(task)
            if not found or cell is None:
                continue
            first = (
                share(cell.accuracy),
                interval_words(cell.interval),
                "–",
                "–",
                "–",
                str(cell.n),
                str(cell.episodes),
            )
            lines = [Line((NO_SHIFT, *first))]
            for result in found:
                numbers = (
                    share(result.shifted),
                    interval_words(result.shifted_interval),
                    signed(result.difference),
                    range_words(result.interval),
                    p_value(result.p),
                    str(result.n),
                    str(result.episodes),
                )
                marks = [word for word, holds in ((NOT_PAIRED, not result.paired), (FEW, result.few)) if holds]
                lines.append(Line((result.shift, *numbers), tuple(marks)))
            groups.append(Group(f"{task} · {usual}", tuple(lines), by_name[usual].marks))
    if not groups:
        return None
    marks_there = {mark for group in groups for line in group.lines for mark in line.marks}
    caption = _CAPTION + (_UNPAIRED if NOT_PAIRED in marks_there else "") + (FEW_MEANS if FEW in marks_there else "")
    columns = ("shift", "accuracy", "95 %", "difference", "95 %", "p", "rows", "episodes")
    return Grid("On shifts", columns, tuple(groups), caption)
