"""Accuracy: the paper's Table 3, and by true answer, camera and gap."""

from __future__ import annotations

from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.measure import Report
from hpvqa.report.tables.words import SCORE_COLUMNS, interval_words, p_value, scored, share


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
            Line((run.name, *scored(cell)), run.marks)
            for run in report.runs
            if (cell := run.main.cell(task)) is not None
        ]
        groups.append(Group(task, tuple(lines)))
    return Grid(
        "Accuracy (the paper's Table 3)",
        ("run", *SCORE_COLUMNS),
        tuple(groups),
        "95 %: interval over episodes, since views of one episode are not independent. Majority: what the more "
        "frequent true answer alone scores. Eff. n: how many independent rows would be as informative.",
    )


def sides_grid(report: Report) -> Grid:
    """Table 4: accuracy by the true answer."""
    return Grid(
        "Accuracy by the true answer (the paper's Table 4)",
        ("true answer", *SCORE_COLUMNS),
        _groups(report, "side"),
        "Whoever always says left has 1 and 0 here.",
    )


def camera_grid(report: Report) -> Grid:
    """Accuracy by camera."""
    return Grid("Accuracy by camera", ("camera", *SCORE_COLUMNS), _groups(report, "camera"))


def pooled_grid(report: Report) -> Grid | None:
    """Accuracy with all views of an episode taken together; None where there is one view of each."""
    groups = _groups(report, "pooled")
    if not groups:
        return None
    caption = "One answer an episode: the side that the mean log-odds of its views favour."
    return Grid("Accuracy, views pooled", ("views", *SCORE_COLUMNS), groups, caption)


def gap_grid(report: Report) -> Grid | None:
    """Accuracy by how far apart the hidden values are; None where that is not known."""
    groups = _groups(report, "gap")
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
            if (fit := run.main.psychometric.get(task)) is not None:
                numbers = (share(fit.threshold, 2), interval_words(fit.threshold_interval, 2), p_value(fit.p_rise))
                lines.append(Line((run.name, *numbers, str(fit.episodes)), run.marks))
        if lines:
            groups.append(Group(task, tuple(lines)))
    if not groups:
        return None
    caption = (
        "Threshold: gap where the fitted curve reaches 0.75; none where it does not within the gaps seen. p (rise): "
        "chance of so strong a rise if accuracy did not depend on the gap; above 0.05 the curve means nothing."
    )
    columns = ("run", "threshold", "95 %", "p (rise)", "episodes")
    return Grid("Threshold of the gap", columns, tuple(groups), caption)


def _groups(report: Report, by: str) -> tuple[Group, ...]:
    """For each task and run the cells of one kind."""
    groups = []
    for task in report.tasks:
        for run in report.runs:
            lines = tuple(Line((cell.value, *scored(cell))) for cell in run.main.group(task, by))
            if lines:
                groups.append(Group(f"{task} · {run.name}", lines, run.marks))
    return tuple(groups)
