"""Which rows of a data set a run is about."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import Row
from hpvqa.dataset.splits import SPLITS, Selection, Split
from hpvqa.errors import UsageError, nearest
from hpvqa.vlm.prompt import CHOICES, Prompt
from hpvqa.vlm.protocol import Query


@dataclass(frozen=True)
class Item:
    """A row that is to be answered, with its query.

    Attributes:
        split: The row's split.
        row: The row.
        query: What the answerer gets of it, but for the frames.
    """

    split: Split
    row: Row
    query: Query


def select(
    dataset: Dataset,
    split: Selection,
    prompt: Prompt,
    *,
    task: str | None = None,
    camera: Collection[str] | None = None,
    episodes: Collection[int] | None = None,
) -> list[Item]:
    """The rows of a split, or only those of one task, some cameras or some episodes.

    Raises:
        UsageError: There are none, or no such camera or episode; the message says what there is.
        RunError: The data set is damaged.
    """
    splits: Sequence[Split] = SPLITS if split == "all" else (split,)
    items = [
        Item(name, row, _query(dataset, name, row, prompt))
        for name in splits
        for row in dataset.rows(name)
        if task in (None, row.task)
    ]
    if not items:
        what = "" if task is None else f" of {task}"
        raise UsageError(f"The {split} split of {dataset.root} has no rows{what}; choose another --split or --task")
    cameras = {item.row.camera for item in items}
    for name in camera or ():
        if name not in cameras:
            raise UsageError(f"There is no camera {name!r} in {dataset.root}; {nearest(name, cameras)}")
    if episodes is not None:
        there = {item.row.episode for item in items}
        missing = sorted(set(episodes) - there)
        if missing:
            known = ", ".join(map(str, sorted(there)[:12])) + (", ..." if len(there) > 12 else "")
            raise UsageError(
                f"There is no episode {missing[0]} in the {split} split of {dataset.root}; there are {known}"
            )
    return [
        item
        for item in items
        if (camera is None or item.row.camera in camera) and (episodes is None or item.row.episode in episodes)
    ]


def parse_episodes(text: str) -> tuple[int, ...]:
    """Episode numbers from words such as ``3,7,10-12``, ascending, each once.

    Raises:
        UsageError: It is no such list.
    """
    numbers: set[int] = set()
    for part in text.split(","):
        match = re.fullmatch(r"\s*(\d{1,9})(?:\s*-\s*(\d{1,9}))?\s*", part)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if last < first or last - first >= 1_000_000:
            raise UsageError(f"Episodes look like 3,7,10-12; {text!r} does not")
        numbers.update(range(first, last + 1))
    return tuple(sorted(numbers))


def _query(dataset: Dataset, split: Split, row: Row, prompt: Prompt) -> Query:
    clip = dataset.clip(split, row)
    return Query(
        key=row.file_name,
        task=row.task,
        clip=clip,
        fps=row.fps,
        frames=row.frames,
        camera=row.calibration,
        question=row.question,
        system=prompt.system,
        text=prompt.ask(row.question),
        choices=CHOICES,
        episode=clip.parent,
        times=row.times or (),
    )
