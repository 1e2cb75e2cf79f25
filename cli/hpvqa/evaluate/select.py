"""Which rows of a data set a run is about."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import Row
from hpvqa.dataset.splits import SPLITS, Selection, Split
from hpvqa.errors import UsageError, nearest
from hpvqa.scene.spec import Side
from hpvqa.vlm.prompt import CHOICES, SYSTEM_PROMPT
from hpvqa.vlm.protocol import Query


@dataclass(frozen=True)
class Item:
    """A row that is to be answered, with its query.

    Attributes:
        split: The row's split.
        row: The row.
        query: What the answerer gets of it.
    """

    split: Split
    row: Row
    query: Query


def select(dataset: Dataset, split: Selection, *, task: str | None = None, camera: str | None = None) -> list[Item]:
    """The rows of a split, or only those of one task or one camera.

    Raises:
        UsageError: There are none, or no such camera; the message names the nearest one.
        RunError: The data set is damaged.
    """
    splits: Sequence[Split] = SPLITS if split == "all" else (split,)
    items = [
        Item(name, row, _query(dataset, name, row))
        for name in splits
        for row in dataset.rows(name)
        if task in (None, row.task)
    ]
    if not items:
        what = "" if task is None else f" of {task}"
        raise UsageError(f"The {split} split of {dataset.root} has no rows{what}; choose another --split or --task")
    cameras = {item.row.camera for item in items}
    if camera is not None and camera not in cameras:
        raise UsageError(f"There is no camera {camera!r} in {dataset.root}; {nearest(camera, cameras)}")
    return [item for item in items if camera in (None, item.row.camera)]


def _query(dataset: Dataset, split: Split, row: Row) -> Query:
    clip: Path = dataset.clip(split, row)
    choices: tuple[Side, ...] = CHOICES
    return Query(
        key=row.file_name,
        task=row.task,
        clip=clip,
        fps=row.fps,
        frames=row.frames,
        camera=row.calibration,
        question=row.question,
        system_prompt=SYSTEM_PROMPT,
        choices=choices,
        episode=clip.parent,
    )
