"""What changes when one thing about the question or the frames is changed."""

from __future__ import annotations

from hpvqa.evaluate.conditions import PLAIN
from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.measure import ConditionReport, Report
from hpvqa.report.tables.words import brief, interval_words, p_value, scored, share, signed

_CLAIM = (
    "The paper's explanation of its results: mass can be read off the last frame, since the lighter cube lies further "
    "away; elasticity cannot, since both spheres end on the table. If so, with the last frame alone (single) or frames "
    "out of order (shuffle), push keeps its accuracy and drop falls to chance."
)
_TESTS = ("single", "shuffle")


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
                lines.append(Line((run.name, *map(brief, tested), share(blind, 4)), run.marks))
        if lines:
            groups.append(Group(task, tuple(lines)))
    if not groups:
        return None
    return Grid("Is the last frame enough?", ("run", "plain", *_TESTS, "majority"), tuple(groups), _CLAIM)


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
        "Plain: question and clip unchanged. Change: against plain, on the same rows; p of equal accuracy, by episode.",
    )


def flips_grid(report: Report) -> Grid | None:
    """How often the same side is chosen in both orders of the choices; None where only one was asked."""
    groups = []
    for task in report.tasks:
        lines = []
        for run in report.runs:
            if (found := run.flips.get(task)) is not None:
                same = (share(found.rate, 4), interval_words(found.interval), f"{found.same}/{found.n}")
                sure = (str(found.episodes), share(found.effective_n, 1), signed(found.mean_shift))
                lines.append(Line((run.name, *same, *sure), run.marks))
        if lines:
            groups.append(Group(task, tuple(lines)))
    if not groups:
        return None
    return Grid(
        "Swap consistency: same side in both orders of the choices",
        ("run", "same", "95 %", "rows", "episodes", "eff. n", "shift"),
        tuple(groups),
        "Shift: mean change of the probability of left when right is named first.",
    )


def _condition(found: ConditionReport, task: str) -> Line | None:
    cell = found.cell(task)
    if cell is None:
        return None
    change = next((result for result in found.changes if (result.task, result.by) == (task, "all")), None)
    numbers = scored(cell)
    return Line(
        (
            found.condition,
            *numbers[:3],
            *numbers[4:],
            "" if change is None else signed(change.difference),
            "" if change is None else p_value(change.p),
        )
    )
