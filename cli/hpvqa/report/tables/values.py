"""Values: how far they are off, how often they are close, and how sure one may be of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from hpvqa.evaluate.values import Share, ValueCell
from hpvqa.report.grid import Grid, Group, Line
from hpvqa.report.measure import Report
from hpvqa.report.tables.words import interval_words, range_words, share, signed

_CAPTION = (
    "Error: median of |answer - truth| / |truth|, with its 95 % interval over episodes. 10 %, 25 %: share of answers "
    "that are off by no more than that. In brackets: always answering the mean of the training split. Rank: "
    "Spearman's correlation with the true values. An answer that is no number in the unit counts as infinitely far off."
)


def value_grid(cells: Mapping[str, Sequence[ValueCell]], title: str) -> Grid:
    """Errors of values by thing, camera and with all views pooled.

    Args:
        cells: By what their group is called besides the task; empty where that goes without saying.
        title: Of the table.
    """
    groups = []
    for name, found in cells.items():
        for task in dict.fromkeys(cell.task for cell in found):
            heading = f"{task} · {name}" if name else task
            lines = tuple(Line((cell.value, *_numbers(cell))) for cell in found if cell.task == task)
            groups.append(Group(heading, lines))
    invalid = sum(cell.invalid for found in cells.values() for cell in found if cell.by == "all")
    said = f"{invalid} answers were no such number. " if invalid else ""
    return Grid(title, ("rows with", "error", "95 %", "10 %", "25 %", "rank", "epis."), tuple(groups), said + _CAPTION)


def values_grid(report: Report) -> Grid | None:
    """Values of all runs, as they are judged; None where none were asked for."""
    runs = _judged(report)
    return value_grid(runs, "Values") if runs else None


def values_conditions_grid(report: Report) -> Grid | None:
    """Values asked in another way, such as in other words; None where none were."""
    apart = {
        f"{run.name}, {part.condition}": [cell for cell in part.cells if cell.by == "all"]
        for run in report.runs
        for part in run.values
        if part.condition != run.condition
    }
    return value_grid(apart, "Values by condition") if apart else None


def sureness_grid(report: Report) -> Grid | None:
    """Rank correlation and calibration of values; None where none were asked for."""
    runs = _judged(report)
    if not runs:
        return None
    groups = []
    for name, cells in runs.items():
        lines = tuple(
            Line(
                (
                    f"{cell.task}, {cell.value}",
                    signed(cell.rank_correlation, 2),
                    range_words(cell.rank_interval, 2),
                    *_covered(cell.coverage_50),
                    *_covered(cell.coverage_90),
                )
            )
            for cell in cells
            if cell.by in ("all", "pooled")
        )
        groups.append(Group(name, lines))
    caption = (
        "Half, 90 %: how often the true value lies in the central half, or in the central nine tenths, of the answer's "
        "own distribution; 0.50 and 0.90 where it is calibrated. A dash: the answerer has no distribution."
    )
    columns = ("rows with", "rank", "95 %", "half", "95 %", "90 %", "95 %")
    return Grid("Values: rank correlation and calibration", columns, tuple(groups), caption)


def _judged(report: Report) -> dict[str, Sequence[ValueCell]]:
    return {run.name: part.cells for run in report.runs for part in run.values if part.condition == run.condition}


def _numbers(cell: ValueCell) -> tuple[str, ...]:
    mean = cell.training_mean
    return (
        _beside(cell.error, None if mean is None else mean.error),
        interval_words(cell.error_interval, 2),
        _beside(cell.within_10.share, None if mean is None else mean.within_10),
        _beside(cell.within_25.share, None if mean is None else mean.within_25),
        signed(cell.rank_correlation, 2),
        str(cell.episodes),
    )


def _beside(value: float | None, mean: float | None) -> str:
    return f"{share(value, 2)} ({share(mean, 2)})"


def _covered(found: Share | None) -> tuple[str, str]:
    return ("–", "–") if found is None else (share(found.share, 2), interval_words(found.interval, 2))
