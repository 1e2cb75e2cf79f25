"""Which rows a model is trained on, and which of the training episodes checkpoints are chosen by."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import Cluster, Row
from hpvqa.dataset.splits import SPLITS
from hpvqa.errors import UsageError
from hpvqa.evaluate.select import Item, select
from hpvqa.scene.spec import SIDES, Side
from hpvqa.vlm.prompt import Prompt


@dataclass(frozen=True)
class TrainingRows:
    """Rows of the training split.

    Attributes:
        train: What the model is trained on.
        validation: Episodes that it is not trained on; checkpoints are chosen by them.
    """

    train: Sequence[Item]
    validation: Sequence[Item]


def training_rows(
    dataset: Dataset,
    prompt: Prompt,
    *,
    task: str | None = None,
    cameras: Collection[str] = (),
    validation: float,
    seed: int,
) -> TrainingRows:
    """The rows of the training split, divided by episode. The evaluation split is not looked at.

    Args:
        dataset: The data set.
        prompt: What is asked.
        task: The only task; None: all.
        cameras: The only cameras; none: all.
        validation: Share of the episodes of each task and answer that is for validation; at least one where there are
            two.
        seed: Seed of that division.

    Raises:
        UsageError: There is nothing to learn from: no rows, no such camera, only one answer, or too few episodes.
        RunError: The data set is damaged.
    """
    shifts = {row.shift for split in SPLITS for row in dataset.rows(split) if row.shift is not None}
    if shifts:
        raise UsageError(
            f"{dataset.root} is of the shift {min(shifts)}, which is for testing only; train on a data set without one"
        )
    if not dataset.rows("train"):
        raise UsageError(f"{dataset.root} has no training split; build it from more episodes")
    items = select(dataset, "train", prompt, task=task, camera=cameras or None)
    held_out: set[Cluster] = set()
    for name in dict.fromkeys(item.row.task for item in items):
        for side in SIDES:
            of_side = [item.row for item in comparing(items) if (item.row.task, item.row.answer) == (name, side)]
            episodes = sorted({row.cluster for row in of_side})
            if not episodes:
                raise UsageError(
                    f"No training row of {name} has the answer {side}: a model that always gives the other "
                    "is correct, and nothing else can be learned; collect more episodes"
                )
            held_out.update(_drawn(episodes, side, validation, seed))
    train = [item for item in items if item.row.cluster not in held_out]
    # A checkpoint is as good as its comparisons are, in the tasks' own words.
    rest = [item for item in comparing(items) if item.row.cluster in held_out and item.row.wording is None]
    if not rest or not train:
        raise UsageError(
            f"{dataset.root} has too few training episodes to choose checkpoints by; collect at least four of each task"
        )
    return TrainingRows(train, rest)


def comparing(items: Sequence[Item]) -> list[Item]:
    """Those whose rows ask which of two has more."""
    return [item for item in items if isinstance(item.row, Row)]


def _drawn(episodes: Sequence[Cluster], side: Side, share: float, seed: int) -> list[Cluster]:
    if len(episodes) < 2:
        return []
    count = min(max(round(share * len(episodes)), 1), len(episodes) - 1)
    rng = np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(SIDES.index(side), len(episodes))))
    return [episodes[number] for number in rng.permutation(len(episodes))[:count]]
