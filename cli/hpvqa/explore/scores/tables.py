"""A report as tables of plain words, for the terminal and the page."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hpvqa.explore.scores.figure import Figure
from hpvqa.explore.scores.report import Report, RunReport
from hpvqa.report.grid import Grid, Group, Line

Cells = Callable[[RunReport], tuple[str, ...] | None]


def grids(report: Report) -> list[Grid]:
    """All tables of a report, without those that have nothing to show."""
    made = [_answers(report), _families(report), _judgements(report), _gains(report), _effort(report)]
    made += [_calibration(report), _comparisons(report)]
    return [grid for grid in made if any(group.lines for group in grid.groups)]


def number(figure: Figure | None, digits: int = 3) -> str:
    """A number; a dash where there is none."""
    return "–" if figure is None else f"{figure.value:.{digits}f}"


def interval(figure: Figure | None, digits: int = 2) -> str:
    """Its interval; a dash where there is none."""
    if figure is None or figure.low is None or figure.high is None:
        return "–"
    return f"{figure.low:.{digits}f}–{figure.high:.{digits}f}"


def _table(report: Report, title: str, columns: Sequence[str], cells: Cells, caption: str) -> Grid:
    lines = [Line((run.name, *found), _marks(run)) for run in report.runs if (found := cells(run)) is not None]
    return Grid(title, ("run", *columns), (Group("", tuple(lines)),), caption)


def _marks(run: RunReport) -> tuple[str, ...]:
    condition = run.settings.condition
    return (*([condition] if condition != "active" else []), *(["privileged"] if run.settings.privileged else []))


def _answers(report: Report) -> Grid:
    def cells(run: RunReport) -> tuple[str, ...]:
        found = run.scores.answers
        return (
            number(found.correct),
            interval(found.correct),
            number(found.correct_insufficient),
            number(found.justified),
            number(found.lucky),
            number(found.both_twins),
            number(found.excess, 2),
            str(run.scores.scenes),
        )

    return _table(
        report,
        "Final answers",
        ("correct", "95 %", "hard", "just.", "lucky", "twins", "excess", "scenes"),
        cells,
        "correct: ACC_FA. hard: the same where the first view does not suffice. just.: correct answers that followed "
        "from what was seen; lucky: those that did not. twins: pairs with one first view and two answers of which both "
        "are correct. excess: decisions beyond an ideal observer's, over justified answers. Intervals are over groups "
        "of scenes with one layout and question.",
    )


def _families(report: Report) -> Grid:
    names = list(dict.fromkeys(name for run in report.runs for name in run.by_family))
    if len(names) < 2:
        return Grid("", (), ())

    def cells(run: RunReport) -> tuple[str, ...]:
        found = [run.by_family.get(name) for name in names]
        shown = [number(one.answers.correct if one else None) for one in found]
        return (*shown, number(run.held_out.answers.correct if run.held_out else None))

    caption = "Correct answers. held-out: types of layouts that are kept for evaluation."
    return _table(report, "By family", (*names, "held-out"), cells, caption)


def _judgements(report: Report) -> Grid:
    def cells(run: RunReport) -> tuple[str, ...] | None:
        if not run.scores.judgements:
            return None
        everywhere, first = run.scores.judgements[:2]
        return (
            number(run.scores.first),
            number(first.balanced),
            interval(first.balanced),
            number(first.d_prime, 2),
            number(first.criterion, 2),
            number(everywhere.balanced),
        )

    return _table(
        report,
        "Does what was seen suffice?",
        ("ISJ", "balanced", "95 %", "d'", "c", "all steps"),
        cells,
        "ISJ: ACC_ISJ, the share of first decisions that are an answer where the first view suffices, and an action "
        "where not. balanced: the mean of both kinds, so that always to act, or to answer, scores 0.5. d': 0 if "
        "answers come as often either way. c: below 0 for whoever rather answers. all steps: balanced, over all "
        "decisions.",
    )


def _gains(report: Report) -> Grid:
    def cells(run: RunReport) -> tuple[str, ...] | None:
        found = run.scores.gain
        if found is None:
            return None
        return (
            number(found.taken),
            interval(found.taken),
            number(found.regret),
            number(found.best),
            number(found.igr),
            number(found.igr_with_empty),
        )

    return _table(
        report,
        "Information gained by acting",
        ("taken", "95 %", "regret", "best", "IGR", "IGR+"),
        cells,
        "Over all decisions before what was seen sufficed. taken: expected information along the chosen way, over that "
        "of the best one. regret: the difference [bit an action]. best: how often the best was chosen. IGR: how often "
        "something that is asked about came into view; IGR+: how often the action promised any information at once, so "
        "that to find a place empty counts, too.",
    )


def _effort(report: Report) -> Grid:
    def cells(run: RunReport) -> tuple[str, ...]:
        scores = run.scores
        return (
            f"{scores.decisions / scores.scenes:.2f}",
            number(scores.robot_seconds, 1),
            str(scores.unreadable),
            str(scores.answers.unanswered),
            str(scores.mishaps),
        )

    return _table(
        report,
        "Effort",
        ("decisions", "robot s", "unreadable", "no answer", "mishaps"),
        cells,
        "decisions and robot s: of a scene, on average. unreadable: decisions that were no valid choice; each cost a "
        "step and counts as no answer. mishaps: scenes in which something went wrong with the robot.",
    )


def _calibration(report: Report) -> Grid:
    def cells(run: RunReport) -> tuple[str, ...] | None:
        found = run.scores.calibration
        if found is None:
            return None
        return (number(found.brier), interval(found.brier), number(found.divergence), interval(found.divergence))

    return _table(
        report,
        "Probabilities of the answers",
        ("Brier", "95 %", "KL", "95 %"),
        cells,
        "Against those of an ideal observer at the same step. Brier: from 0 to 2; KL: in bit; 0 is perfect.",
    )


def _comparisons(report: Report) -> Grid:
    groups = [
        Group(
            f"{first.a} – {first.b}",
            tuple(
                Line(
                    (
                        one.trait,
                        f"{one.difference:+.3f}",
                        f"{one.low:+.3f} to {one.high:+.3f}",
                        "<0.001" if one.adjusted < 0.001 else f"{one.adjusted:.3f}",
                        str(one.scenes),
                    )
                )
                for one in report.comparisons
                if (one.a, one.b) == (first.a, first.b)
            ),
        )
        for first in report.comparisons
        if first.trait == "correct"
    ]
    return Grid(
        "Comparison of runs",
        ("", "difference", "95 %", "p", "scenes"),
        tuple(groups),
        "Over the scenes that both played. p: of a paired test that flips groups of twins, by Holm over all of these.",
    )
