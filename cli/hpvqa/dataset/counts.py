"""How much of what a data set holds."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from pydantic import Field

from hpvqa.dataset.rows import Row
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


def count_rows(rows: Mapping[Split, Sequence[Row]]) -> list[Count]:
    """Count every split of every task that has any rows."""
    counts = []
    for task in TASKS:
        for split, all_rows in rows.items():
            found = [row for row in all_rows if row.task == task]
            answers = {row.cluster: row.answer for row in found}
            sides = list(answers.values())
            if found:
                counts.append(
                    Count(
                        task=task,
                        split=split,
                        episodes=len(answers),
                        left=sides.count("left"),
                        right=sides.count("right"),
                        rows=len(found),
                    )
                )
    return counts
