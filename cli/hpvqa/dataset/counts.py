"""How much of what a data set holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from hpvqa.dataset.rows import AnyRow, Row, ValueRow
from hpvqa.dataset.splits import Split
from hpvqa.plain import Model
from hpvqa.tasks import TASKS


class Count(Model):
    """One split of one task."""

    task: str
    split: Split
    episodes: int
    left: int = Field(description="Episodes whose answer is left.")
    right: int = Field(description="Episodes whose answer is right.")
    rows: int
    values: int = Field(default=0, description="How many of the rows ask for a value.")
    paraphrased: int = Field(default=0, description="How many of the rows ask in other words.")


def count_rows(rows: Mapping[Split, Sequence[AnyRow]]) -> list[Count]:
    """Count every split of every task that has any rows."""
    counts = []
    for task in TASKS:
        for split, all_rows in rows.items():
            found = [row for row in all_rows if row.task == task]
            sides = list({row.cluster: row.answer for row in found if isinstance(row, Row)}.values())
            if found:
                counts.append(
                    Count(
                        task=task,
                        split=split,
                        episodes=len({row.cluster for row in found}),
                        left=sides.count("left"),
                        right=sides.count("right"),
                        rows=len(found),
                        values=sum(isinstance(row, ValueRow) for row in found),
                        paraphrased=sum(row.wording is not None for row in found),
                    )
                )
    return counts
