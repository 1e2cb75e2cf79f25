"""Response bias: the paper's Table 4, continued."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from hpvqa.evaluate.bias import Bias
from hpvqa.evaluate.statistics.interval import FEWEST_EPISODES
from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.measure import Report
from hpvqa.report.tables.words import interval_words, range_words, share, signed


def bias_grid(report: Report) -> Grid:
    """Table 4, continued: the response bias."""
    return Grid(
        "Response bias",
        ("run", "said left", "95 %", "balanced", "95 %", "episodes", "eff. n"),
        _of_bias(
            report,
            lambda found: (
                share(found.said_left),
                interval_words(found.said_left_interval),
                share(found.balanced_accuracy, 4),
                interval_words(found.balanced_interval),
                str(found.episodes),
                share(found.effective_n, 1),
            ),
        ),
        "Said left: share of the valid answers; eff. n is that of this share. Balanced: mean accuracy of both sides.",
    )


def probabilities_grid(report: Report) -> Grid:
    """What is seen apart from what is preferred, and whether probabilities can be trusted."""
    return Grid(
        "Sensitivity, criterion and probabilities",
        ("run", "d′", "95 %", "c", "95 %", "P(left)", "P(word)", "Brier", "ECE"),
        _of_bias(
            report,
            lambda found: (
                share(found.d_prime, 2),
                range_words(found.d_prime_interval, 1),
                signed(found.criterion, 2),
                range_words(found.criterion_interval, 1),
                *map(share, (found.p_left, found.p_choices, found.brier)),
                "few" if found.ece is not None and found.episodes < FEWEST_EPISODES else share(found.ece),
            ),
        ),
        "d′: how well answers separate left from right; 0: not at all. c: criterion, negative if left is preferred, "
        "positive if right is. P(left): mean probability of left. P(word): mean probability that the answer is left or "
        "right at all. Brier score: 0.25 is that of a constant half. ECE: expected calibration error; few: fewer than "
        f"{FEWEST_EPISODES} episodes do not show it.",
    )


def _of_bias(report: Report, cells: Callable[[Bias], Iterable[str]]) -> tuple[Group, ...]:
    """By task, one row a run."""
    return tuple(
        Group(
            task,
            tuple(
                Line((run.name, *cells(found)), run.marks)
                for run in report.runs
                for found in run.main.bias
                if found.task == task
            ),
        )
        for task in report.tasks
    )
