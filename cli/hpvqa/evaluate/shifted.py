"""One model on the usual episodes, and on episodes that change one thing for testing."""

from __future__ import annotations

from collections.abc import Sequence

from pydantic import Field

from hpvqa.evaluate.compare import change, too_few
from hpvqa.evaluate.prediction import Prediction
from hpvqa.evaluate.statistics.combine import independent_interval
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval
from hpvqa.plain import Model

_Row = tuple[str, int, int, str]


class Shifted(Model):
    """How much better a model is on a shift, for one task."""

    task: str
    shift: str = Field(description="What the episodes change.")
    paired: bool = Field(
        description="Whether rows are compared with those of the same episode and camera without the change: of one "
        "seed, number and answer. If not, all rows of both count, as of two independent samples."
    )
    usual: float = Field(description="Accuracy on the usual episodes.")
    usual_interval: Interval
    shifted: float = Field(description="Accuracy on those of the shift.")
    shifted_interval: Interval
    difference: float = Field(description="shifted - usual.")
    interval: Interval = Field(description="Interval of the difference.")
    p: float | None = Field(description="Two-sided p of equal accuracy, by episode; null where nothing is paired.")
    n: int = Field(description="Rows of the shift that count.")
    episodes: int = Field(description="Episodes of the shift that count.")
    left_out: int = Field(description="Answered rows of the shift that have no partner; not compared.")

    @property
    def few(self) -> bool:
        """Whether there are so few pairs that no p can be below 0.05."""
        return self.paired and too_few(self.episodes)


def compare_shifted(usual: Sequence[Prediction], shifted: Sequence[Prediction], *, seed: int = 0) -> list[Shifted]:
    """Compare a model's answers to usual episodes with those to episodes of a shift, task by task.

    Args:
        usual: Answers to usual episodes, under one condition.
        shifted: Answers to episodes of one shift, under the same condition.
        seed: Seed of the intervals that are found by bootstrap.
    """
    found = []
    for task in dict.fromkeys(row.task for row in shifted):
        a, b = ([row for row in rows if row.task == task and row.error is None] for rows in (usual, shifted))
        if a and b:
            found.append(_compared(a, b, seed))
    return found


def _compared(a: Sequence[Prediction], b: Sequence[Prediction], seed: int) -> Shifted:
    partners = {place: row for row in a if (place := _place(row)) is not None}
    pairs = [
        (partner, row)
        for row in b
        if (place := _place(row)) is not None
        and (partner := partners.get(place)) is not None
        and partner.answer == row.answer
    ]
    if pairs:
        interval, p = change(pairs, seed=seed)
        a, counted = [row for row, _ in pairs], [row for _, row in pairs]
    else:
        interval, p, counted = None, None, list(b)
    (usual, usual_interval), (shifted, shifted_interval) = (_accuracy(rows, seed) for rows in (a, counted))
    return Shifted(
        task=b[0].task,
        shift=b[0].shift or "",
        paired=bool(pairs),
        usual=usual,
        usual_interval=usual_interval,
        shifted=shifted,
        shifted_interval=shifted_interval,
        difference=shifted - usual,
        interval=interval or independent_interval(usual, usual_interval, shifted, shifted_interval),
        p=p,
        n=len(counted),
        episodes=len({row.cluster for row in counted}),
        left_out=len(b) - len(counted),
    )


def _place(row: Prediction) -> _Row | None:
    """What a row has in common with its partner; None where that is not known."""
    return None if row.seed is None else (row.task, row.seed, row.episode, row.camera)


def _accuracy(rows: Sequence[Prediction], seed: int) -> tuple[float, Interval]:
    correct = [row.is_correct for row in rows]
    interval = accuracy_interval(correct, [row.cluster for row in rows], seed=seed)
    assert interval is not None  # noqa: S101 - there is a row
    return sum(correct) / len(correct), interval
