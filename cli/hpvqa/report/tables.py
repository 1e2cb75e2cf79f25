"""The tables of a report: the paper's Tables 3 and 4, and those that say how far they can be trusted."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hpvqa.evaluate.conditions import PLAIN
from hpvqa.evaluate.score import Cell
from hpvqa.evaluate.statistics.interval import Interval
from hpvqa.report.grid import Grid, Group, Line, p_value, share, signed
from hpvqa.report.measure import ConditionReport, Report

Maker = Callable[[Report], Grid | None]
"""What makes a table of a report, or none where it has nothing to show."""

_CLAIM = (
    "The paper explains its results so: mass can be read off the final still, since the lighter cube lies further "
    "away; elasticity cannot, since both spheres end on the table. If so, with the last frame alone (single) or frames "
    "out of order (shuffle) push keeps its accuracy, and drop falls to that of a guess."
)
_TESTS = ("single", "shuffle")
_SCORE_COLUMNS = ("accuracy", "95 %", "correct", "majority", "episodes", "eff. n")


def grids(report: Report) -> list[Grid]:
    """All tables, in the order in which they are read."""
    found = (
        runs_grid(report),
        accuracy_grid(report),
        tuned_grid(report),
        sides_grid(report),
        bias_grid(report),
        camera_grid(report),
        gap_grid(report),
        explanation_grid(report),
        conditions_grid(report),
        flips_grid(report),
        comparison_grid(report),
    )
    return [grid for grid in found if grid is not None]


def runs_grid(report: Report) -> Grid:
    """What was read, and what of it counts."""
    lines = []
    for run in report.runs:
        counts = [sum(getattr(c, name) for c in run.conditions) for name in ("rows", "invalid", "failed")]
        missing = "?" if run.missing is None else str(run.missing)
        lines.append(Line((run.name, *map(str, counts), missing, str(len(run.conditions))), run.marks))
    return Grid(
        "Runs",
        ("run", "rows", "invalid", "failed", "missing", "conditions"),
        (Group("", tuple(lines)),),
        "Invalid answers count as wrong; failed rows do not count.",
    )


def accuracy_grid(report: Report) -> Grid:
    """Table 3: accuracy by task, one row a run."""
    groups = []
    for task in report.tasks:
        lines = [
            Line((run.name, *_scored(cell)), run.marks)
            for run in report.runs
            if (cell := run.main.cell(task)) is not None
        ]
        groups.append(Group(task, tuple(lines)))
    return Grid(
        "Accuracy (the paper's Table 3)",
        ("run", *_SCORE_COLUMNS),
        tuple(groups),
        "95 %: interval over episodes, since views of one episode are not independent. Majority: what the more "
        "frequent true answer alone scores. Eff. n: how many independent rows would be as informative.",
    )


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
            change = f"{signed(result.difference)} ({_range(result.interval)})"
            marks = tuple(dict.fromkeys(a.marks + b.marks))
            lines.append(Line((a.model, *map(_brief, cells), change, p_value(result.p)), marks))
        if lines:
            groups.append(Group(task, tuple(lines)))
    if not groups:
        return None
    return Grid(
        "Pre-trained → fine-tuned",
        ("model", "pre-trained", "fine-tuned", "change", "p"),
        tuple(groups),
        "Change on the same rows, with its 95 % interval; p from a paired permutation of whole episodes.",
    )


def sides_grid(report: Report) -> Grid:
    """Table 4: accuracy by the true answer."""
    return Grid(
        "Accuracy by the true answer (the paper's Table 4)",
        ("true answer", *_SCORE_COLUMNS),
        _groups(report, "side"),
        "Whoever always says left has 1 and 0 here.",
    )


def bias_grid(report: Report) -> Grid:
    """Table 4, continued: what the answers lean to."""
    groups = []
    for task in report.tasks:
        lines = []
        for run in report.runs:
            for found in run.main.bias:
                if found.task == task:
                    numbers = (found.said_left, found.p_left, found.balanced_accuracy, found.d_prime, found.criterion)
                    sure = (found.brier, found.ece, found.p_choices)
                    lines.append(Line((run.name, *(share(number, 2) for number in (*numbers, *sure))), run.marks))
        groups.append(Group(task, tuple(lines)))
    return Grid(
        "What the answers lean to",
        ("run", "said left", "P(left)", "balanced", "d′", "c", "Brier", "ECE", "P(word)"),
        tuple(groups),
        "Said left: share of the answers. P(left): mean probability. Balanced: mean accuracy of both sides. d′: how "
        "well the sides are told apart, 0 not at all. c: criterion, 0 without bias, negative towards left. Brier and "
        "ECE: how far probabilities are from the truth. P(word): probability that one of both words is said at all.",
    )


def camera_grid(report: Report) -> Grid:
    """Accuracy by camera."""
    return Grid("Accuracy by camera", ("camera", *_SCORE_COLUMNS), _groups(report, "camera"))


def gap_grid(report: Report) -> Grid | None:
    """Accuracy by how far apart the hidden values are; None where that is not known."""
    groups = _groups(report, "gap")
    if not groups:
        return None
    caption = "Gap: difference of the hidden values, in kg for mass, without unit for restitution."
    return Grid("Accuracy by gap", ("gap", *_SCORE_COLUMNS), groups, caption)


def conditions_grid(report: Report) -> Grid | None:
    """What changes when one thing about the question or the frames is changed; None without such conditions."""
    groups = []
    for task in report.tasks:
        for run in report.runs:
            if len(run.conditions) > 1:
                lines = [line for found in run.conditions if (line := _condition(found, task)) is not None]
                groups.append(Group(f"{task} · {run.name}", tuple(lines), run.marks))
    if not groups:
        return None
    return Grid(
        "Conditions, one change each",
        ("condition", "accuracy", "95 %", "correct", "episodes", "eff. n", "change", "p"),
        tuple(groups),
        "Change: against plain, on the same rows; p from a paired permutation of whole episodes.",
    )


def explanation_grid(report: Report) -> Grid | None:
    """The test of the paper's explanation of its results; None where no run has a condition that tests it."""
    groups = []
    for task in report.tasks:
        lines = []
        for run in report.runs:
            cells = {found.condition: found.cell(task) for found in run.conditions}
            if cells.keys() & set(_TESTS):
                tested = (cells.get(name) for name in (PLAIN.name, *_TESTS))
                blind = None if (plain := run.main.cell(task)) is None else plain.majority_accuracy
                lines.append(Line((run.name, *map(_brief, tested), share(blind, 4)), run.marks))
        if lines:
            groups.append(Group(task, tuple(lines)))
    if not groups:
        return None
    return Grid("Is the final still enough?", ("run", "plain", *_TESTS, "majority"), tuple(groups), _CLAIM)


def flips_grid(report: Report) -> Grid | None:
    """How often the same side is chosen in both orders of the choices; None where only one was asked."""
    lines = [
        Line((f"{task} · {run.name}", share(found.same / found.n), f"{found.same}/{found.n}"), run.marks)
        for run in report.runs
        for task, found in run.flips.items()
    ]
    if not lines:
        return None
    return Grid("Same side in both orders of the choices", ("run", "consistent", "rows"), (Group("", tuple(lines)),))


def comparison_grid(report: Report) -> Grid | None:
    """Runs against each other; None where no two answered the same rows."""
    groups = []
    for pair in report.comparisons:
        lines = tuple(
            Line(
                (
                    _what(result.task, result.by, result.value),
                    signed(result.difference),
                    _range(result.interval),
                    str(result.n),
                    p_value(result.p),
                    p_value(result.p_holm),
                )
            )
            for result in pair.results
        )
        marks = tuple(dict.fromkeys(mark for run in report.runs if run.name in (pair.a, pair.b) for mark in run.marks))
        groups.append(Group(f"{pair.b} − {pair.a}", lines, marks))
    if not groups:
        return None
    return Grid(
        "Comparisons",
        ("rows of", "difference", "95 %", "rows", "p", "p (Holm)"),
        tuple(groups),
        "Difference of accuracy on the rows that both answered; p from a paired permutation of whole episodes, "
        "corrected by Holm's method over the cameras of a task.",
    )


def _groups(report: Report, by: str) -> tuple[Group, ...]:
    """For each task and run the cells of one kind."""
    groups = []
    for task in report.tasks:
        for run in report.runs:
            lines = tuple(Line((cell.value, *_scored(cell))) for cell in run.main.group(task, by))
            if lines:
                groups.append(Group(f"{task} · {run.name}", lines, run.marks))
    return tuple(groups)


def _scored(cell: Cell) -> Iterable[str]:
    return (
        share(cell.accuracy, 4),
        _interval(cell.interval),
        f"{cell.correct}/{cell.n}",
        share(cell.majority_accuracy, 4),
        str(cell.episodes),
        share(cell.effective_n, 1),
    )


def _condition(found: ConditionReport, task: str) -> Line | None:
    cell = found.cell(task)
    if cell is None:
        return None
    change = next((result for result in found.changes if (result.task, result.by) == (task, "all")), None)
    scored = tuple(_scored(cell))
    return Line(
        (
            found.condition,
            *scored[:3],
            *scored[4:],
            "" if change is None else signed(change.difference),
            "" if change is None else p_value(change.p),
        )
    )


def _brief(cell: Cell | None) -> str:
    return "–" if cell is None else f"{share(cell.accuracy, 4)} {cell.correct}/{cell.n}"


def _interval(interval: Interval | None) -> str:
    return "–" if interval is None else f"{interval.low:.3f}–{interval.high:.3f}"


def _range(interval: Interval | None) -> str:
    return "–" if interval is None else f"{signed(interval.low)} to {signed(interval.high)}"


def _what(task: str | None, by: str, value: str) -> str:
    return " · ".join(part for part in (task or "all tasks", "" if by == "all" else value) if part)
