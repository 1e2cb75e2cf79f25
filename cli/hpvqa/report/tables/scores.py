"""Accuracy: the paper's Table 3, and by true answer, camera and gap."""

from __future__ import annotations

from collections.abc import Callable

from hpvqa.evaluate.statistics.interval import FEWEST_EPISODES
from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.measure import Report, RunReport
from hpvqa.report.tables.words import SCORE_COLUMNS, TOO_FEW, interval_words, p_value, scored, share

_BELOW = (
    "Below chance: answers go against the truth more than guesses would, however often each side is said (Fisher's "
    "exact test, with Holm's correction over the cameras of a task)."
)


def runs_grid(report: Report) -> Grid:
    """What was read, and what of it counts."""
    lines = []
    for run in report.runs:
        counts = [
            sum(getattr(c, name) for c in (*run.conditions, *run.values)) for name in ("rows", "invalid", "failed")
        ]
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
            Line((run.name, *scored(cell)), run.marks)
            for run in report.runs
            if (cell := run.main.cell(task)) is not None
        ]
        if lines:
            groups.append(Group(task, tuple(lines)))
    return Grid(
        "Accuracy (the paper's Table 3)",
        ("run", *SCORE_COLUMNS),
        tuple(groups),
        "95 %: interval over episodes, since views of one episode are not independent. Majority: accuracy of "
        "always giving the more frequent answer. Eff. n: how many independent rows would be as informative.",
    )


def sides_grid(report: Report) -> Grid:
    """Table 4: accuracy by the true answer."""
    return Grid(
        "Accuracy by the true answer (the paper's Table 4)",
        ("true answer", *SCORE_COLUMNS),
        _groups(report, "side"),
        "A model that always answers left scores 1 and 0.",
    )


def camera_grid(report: Report) -> Grid:
    """Accuracy by camera; marked where answers go against the truth."""
    groups = []
    for task in report.tasks:
        for run in report.runs:
            below = {test.camera for test in run.main.cameras if (test.task, test.verdict) == (task, "below")}
            lines = tuple(
                Line((cell.value, *scored(cell)), ("below chance",) if cell.value in below else ())
                for cell in run.main.group(task, "camera")
            )
            if lines:
                groups.append(Group(f"{task} · {run.name}", lines, run.marks))
    marked = any(line.marks for group in groups for line in group.lines)
    return Grid("Accuracy by camera", ("camera", *SCORE_COLUMNS), tuple(groups), _BELOW if marked else "")


def pooled_grid(report: Report) -> Grid | None:
    """Accuracy with all views of an episode taken together; None where there is one view of each."""
    groups = _groups(report, "pooled")
    if not groups:
        return None
    caption = "One answer an episode: the side that the mean log-odds of its views favour."
    return Grid("Accuracy, views pooled", ("views", *SCORE_COLUMNS), groups, caption)


def gap_grid(report: Report) -> Grid | None:
    """Accuracy by how far apart the hidden values are; None where that is not known."""
    groups = _groups(report, "gap", lambda run, task: not run.main.few(task))
    if not groups:
        return None
    caption = "Gap: difference of the hidden values, in kg for mass, without unit for restitution."
    return Grid("Accuracy by gap", ("gap", *SCORE_COLUMNS), groups, caption)


def threshold_grid(report: Report) -> Grid | None:
    """How large a gap it takes; None where gaps are not known."""
    groups = []
    for task in report.tasks:
        lines = []
        for run in report.runs:
            if run.main.few(task) and (known := run.main.group(task, "gap")):
                lines.append(Line((run.name, TOO_FEW, "–", "–", str(sum(cell.episodes for cell in known))), run.marks))
            elif (fit := run.main.psychometric.get(task)) is not None:
                numbers = (share(fit.threshold, 2), interval_words(fit.threshold_interval, 2), p_value(fit.p_rise))
                lines.append(Line((run.name, *numbers, str(fit.episodes)), run.marks))
        if lines:
            groups.append(Group(task, tuple(lines)))
    if not groups:
        return None
    caption = (
        "Threshold: gap where the fitted curve reaches 0.75; none where it does not within the gaps seen. p (rise): "
        "chance of so strong a rise if accuracy did not depend on the gap; above 0.05 the curve means nothing. "
        f"Too few: fewer than {FEWEST_EPISODES} episodes."
    )
    columns = ("run", "threshold", "95 %", "p (rise)", "episodes")
    return Grid("Threshold of the gap", columns, tuple(groups), caption)


def _groups(
    report: Report, by: str, wanted: Callable[[RunReport, str], bool] = lambda run, task: True
) -> tuple[Group, ...]:
    """For each task and run the cells of one kind."""
    groups = []
    for task in report.tasks:
        for run in report.runs:
            cells = run.main.group(task, by) if wanted(run, task) else []
            lines = tuple(Line((cell.value, *scored(cell))) for cell in cells)
            if lines:
                groups.append(Group(f"{task} · {run.name}", lines, run.marks))
    return tuple(groups)
