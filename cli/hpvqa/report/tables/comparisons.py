"""Comparisons of runs."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from hpvqa.evaluate.compare import Comparison
from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.measure import Report
from hpvqa.report.tables.words import brief, p_value, range_words, share, signed

_AGREEMENT = "p of equal accuracy, by episode; the interval holds 0 wherever p is 0.05 or more."
FEW = "few"
FEW_MEANS = " Few: of five episodes or fewer, no p can be below 0.05."


def tuned_grid(report: Report) -> Grid | None:
    """Table 3 as the paper has it, pre-trained beside fine-tuned; None without such a pair."""
    groups = []
    by_name = {run.name: run for run in report.runs}
    for task in report.tasks:
        lines = []
        for pair in report.comparisons:
            result = next((r for r in pair.results if (r.task, r.by) == (task, "all")), None)
            if not pair.tuned or result is None:
                continue
            a, b = (by_name[name] for name in (pair.a, pair.b))
            cells = [run.main.cell(task) for run in (a, b)]
            change = f"{signed(result.difference)} ({range_words(result.interval)})"
            marks = (*dict.fromkeys(a.marks + b.marks), *_remark(result))
            lines.append(Line((a.model, *map(brief, cells), change, p_value(result.p)), marks))
        if lines:
            groups.append(Group(task, tuple(lines)))
    if not groups:
        return None
    return Grid(
        "Pre-trained → fine-tuned",
        ("model", "pre-trained", "fine-tuned", "change", "p"),
        tuple(groups),
        "Change on the same rows, with its 95 % interval; " + _agreement(groups),
    )


def comparison_grid(report: Report) -> Grid | None:
    """Runs against each other; None where no two answered the same rows."""
    groups = _compared(
        report,
        "all",
        lambda result: (str(result.n), str(result.episodes), share(result.effective_n, 1), p_value(result.p)),
    )
    if not groups:
        return None
    return Grid(
        "Comparisons",
        ("task", "difference", "95 %", "rows", "episodes", "eff. n", "p"),
        groups,
        "Difference of accuracy on the rows that both answered; " + _agreement(groups),
    )


def camera_comparison_grid(report: Report) -> Grid | None:
    """The same by camera."""
    groups = _compared(
        report,
        "camera",
        lambda result: (str(result.n), share(result.effective_n, 1), p_value(result.p), p_value(result.p_holm)),
    )
    if not groups:
        return None
    return Grid(
        "Comparisons by camera",
        ("camera", "difference", "95 %", "rows", "eff. n", "p", "p (Holm)"),
        groups,
        "p (Holm): corrected for having looked at all cameras of a task. " + _agreement(groups),
    )


def _compared(report: Report, by: str, rest: Callable[[Comparison], Iterable[str]]) -> tuple[Group, ...]:
    """For each pair of runs, by camera also for each task, the differences and what else is wanted."""
    groups = []
    for pair in report.comparisons:
        heading = f"{pair.b} − {pair.a}"
        marks = tuple(dict.fromkeys(mark for run in report.runs if run.name in (pair.a, pair.b) for mark in run.marks))
        of_task = {task: [r for r in pair.results if (r.task, r.by) == (task, by)] for task in report.tasks}
        if by == "all":
            lines = [_line(found.task, found, rest) for results in of_task.values() for found in results]
            groups.append(Group(heading, tuple(lines), marks))
        else:
            groups += [
                Group(f"{task} · {heading}", tuple(_line(found.value, found, rest) for found in results), marks)
                for task, results in of_task.items()
                if results
            ]
    return tuple(groups)


def _line(name: str, found: Comparison, rest: Callable[[Comparison], Iterable[str]]) -> Line:
    return Line((name, signed(found.difference), range_words(found.interval), *rest(found)), _remark(found))


def _agreement(groups: Sequence[Group]) -> str:
    """How to read interval and p together, with what the mark of these lines means."""
    marks = {mark for group in groups for line in group.lines for mark in line.marks}
    return _AGREEMENT + (FEW_MEANS if FEW in marks else "")


def _remark(found: Comparison) -> tuple[str, ...]:
    return (FEW,) if found.few else ()
