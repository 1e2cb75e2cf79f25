"""Numbers as words, and the columns that many tables have."""

from __future__ import annotations

from hpvqa.evaluate.score import Cell
from hpvqa.evaluate.statistics.interval import Interval

# The names of columns are as short as a terminal needs them; captions say what they mean.
SCORE_COLUMNS = ("accuracy", "95 %", "correct", "majority", "episodes", "eff. n")

TOO_FEW = "too few"
"""What stands where there are fewer than :data:`~hpvqa.evaluate.statistics.interval.FEWEST_EPISODES` episodes."""


def scored(cell: Cell) -> tuple[str, ...]:
    """What stands in these columns."""
    return (
        share(cell.accuracy, 4),
        interval_words(cell.interval),
        f"{cell.correct}/{cell.n}",
        share(cell.majority_accuracy, 4),
        str(cell.episodes),
        share(cell.effective_n, 1),
    )


def brief(cell: Cell | None) -> str:
    """Accuracy and counts alone."""
    return "–" if cell is None else f"{share(cell.accuracy, 4)} {cell.correct}/{cell.n}"


def interval_words(interval: Interval | None, digits: int = 3) -> str:
    """An interval; a dash where there is none."""
    return "–" if interval is None else f"{interval.low:.{digits}f}–{interval.high:.{digits}f}"


def range_words(interval: Interval | None, digits: int = 3) -> str:
    """An interval whose ends have a sign."""
    return "–" if interval is None else f"{signed(interval.low, digits)} to {signed(interval.high, digits)}"


def share(value: float | None, digits: int = 3) -> str:
    """A number with a fixed count of digits, so that columns align; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def signed(value: float | None, digits: int = 3) -> str:
    """The same with its sign; nothing is -0."""
    return "–" if value is None else f"{round(value, digits) + 0.0:+.{digits}f}"


def p_value(value: float | None) -> str:
    """A p-value; below a thousandth its size says nothing more."""
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"
