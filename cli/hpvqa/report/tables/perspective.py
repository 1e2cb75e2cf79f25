"""Whose left and right the answers are given in."""

from __future__ import annotations

from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.measure import Report
from hpvqa.report.tables.words import interval_words, share

_FROM = {"front": "the front", "back": "behind", "both": "both"}


def perspective_grid(report: Report) -> Grid | None:
    """Accuracy with the robot's and with the picture's left and right; None unless a run was asked from the front."""
    groups, findings = [], []
    for task in report.tasks:
        for run in report.runs:
            found = next((one for one in run.main.perspective if one.task == task), None)
            if found is None or all(seen.view != "front" for seen in found.views):
                continue
            lines = tuple(
                Line(
                    (
                        _FROM[seen.view],
                        *(share(seen.robot.accuracy), interval_words(seen.robot.interval, 2)),
                        *(share(seen.picture.accuracy), interval_words(seen.picture.interval, 2)),
                        f"{seen.picture.correct}/{seen.n}",
                        str(seen.episodes),
                    )
                )
                for seen in found.views
            )
            groups.append(Group(f"{task} · {run.name}", lines, run.marks))
            if found.sentence is not None:
                findings.append(f"{' · '.join((run.name, *run.marks))}, {found.sentence}")
    if not groups:
        return None
    return Grid(
        "The robot's left and right, or the picture's?",
        ("seen from", "robot's", "95 %", "picture's", "95 %", "correct", "episodes"),
        tuple(groups),
        "The questions mean the robot's left and right. From the front, these are the picture's right and left. "
        "Correct: in the picture's left and right. The prompt robot-view asks without this ambiguity.",
        tuple(findings),
    )
