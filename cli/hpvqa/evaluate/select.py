"""Which rows of a data set a run is about."""

from __future__ import annotations

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BeforeValidator, Field

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import AnyRow, ValueRow
from hpvqa.dataset.splits import SPLITS, Selection, Split
from hpvqa.errors import UsageError, nearest
from hpvqa.plain import Model
from hpvqa.tasks.base import Form
from hpvqa.vlm.prompt import CHOICES, Prompt
from hpvqa.vlm.protocol import Query


def _several(camera: object) -> object:
    return camera if isinstance(camera, list | tuple) else [camera]


def _sorted_names(cameras: tuple[str, ...]) -> tuple[str, ...]:
    return tuple(sorted(set(cameras)))


Cameras = Annotated[tuple[str, ...], BeforeValidator(_several), AfterValidator(_sorted_names)]
"""Names of cameras, each once, in order; older runs have one alone."""


class Rows(Model):
    """Which rows of a data set are asked about."""

    split: Selection
    task: str | None = Field(default=None, description="The only task that is asked about; null: all.")
    camera: Cameras | None = Field(default=None, description="The only cameras whose clips are asked about; null: all.")
    episodes: tuple[int, ...] | None = Field(default=None, description="The only episodes asked about; null: all.")
    questions: tuple[Form, ...] | None = Field(
        default=None, description="The only forms of question that are asked; null: all that there are."
    )
    limit: int | None = Field(default=None, ge=1, description="Only so many rows, the first ones; null: all.")

    def of(self, dataset: Dataset) -> list[tuple[Split, AnyRow]]:
        """These rows of a data set, each with its split, in the order of the data set.

        Raises:
            RunError: The data set is damaged.
        """
        splits: Sequence[Split] = SPLITS if self.split == "all" else (self.split,)
        rows = [
            (split, row)
            for split in splits
            for row in dataset.rows(split)
            if self.task in (None, row.task)
            and (self.camera is None or row.camera in self.camera)
            and (self.episodes is None or row.episode in self.episodes)
            and (self.questions is None or row.form in self.questions)
        ]
        return rows[: self.limit]


@dataclass(frozen=True)
class Item:
    """A row that is to be answered, with its query.

    Attributes:
        split: The row's split.
        row: The row.
        query: What the answerer gets of it, but for the frames.
    """

    split: Split
    row: AnyRow
    query: Query


def select(
    dataset: Dataset,
    split: Selection,
    prompt: Prompt,
    *,
    task: str | None = None,
    camera: Collection[str] | None = None,
    episodes: Collection[int] | None = None,
    questions: Collection[Form] | None = None,
    limit: int | None = None,
) -> list[Item]:
    """The rows of a split, or only those of one task, some cameras, episodes or questions, or the first ones of these.

    Raises:
        UsageError: There are none, or no such camera or episode; the message says what there is.
        RunError: The data set is damaged.
    """
    chosen = None if episodes is None else tuple(episodes)
    cameras = camera if camera is None or isinstance(camera, str) else tuple(camera)
    forms = None if questions is None else tuple(questions)
    rows = Rows(split=split, task=task, camera=cameras, episodes=chosen, questions=forms, limit=limit)
    found = rows.of(dataset)
    _check_there(dataset, rows, found)
    return [Item(name, row, query_of(row, dataset.clip(name, row), prompt)) for name, row in found]


def _check_there(dataset: Dataset, rows: Rows, found: Sequence[tuple[Split, AnyRow]]) -> None:
    """Raise if a camera, an episode or a task that is asked for by name is not there, or nothing is."""
    of_task = [row for _, row in Rows(split=rows.split, task=rows.task).of(dataset)]
    if not of_task:
        what = "" if rows.task is None else f" of {rows.task}"
        raise UsageError(
            f"The {rows.split} split of {dataset.root} has no rows{what}; choose another --split or --task"
        )
    cameras = {row.camera for row in of_task}
    for name in rows.camera or ():
        if name not in cameras:
            raise UsageError(f"There is no camera {name!r} in {dataset.root}; {nearest(name, cameras)}")
    there = {row.episode for row in of_task}
    missing = sorted(set(rows.episodes or ()) - there)
    if missing:
        known = ", ".join(map(str, sorted(there)[:12])) + (", ..." if len(there) > 12 else "")
        raise UsageError(
            f"There is no episode {missing[0]} in the {rows.split} split of {dataset.root}; there are {known}"
        )
    if not found and rows.questions and not any(row.form in rows.questions for row in of_task):
        wanted = " or ".join(rows.questions)
        raise UsageError(f"{dataset.root} asks no {wanted} questions; build it with --questions compare,value")
    if not found:
        raise UsageError(
            f"No clip of {', '.join(rows.camera or ())} shows these episodes; choose another --camera or --episode"
        )


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


def query_of(row: AnyRow, clip: Path, prompt: Prompt) -> Query:
    """What an answerer gets of a row, but for the frames.

    Args:
        row: The row.
        clip: Its video file, in the folder of its episode.
        prompt: The words around the question.
    """
    asks_value = isinstance(row, ValueRow)
    return Query(
        key=row.key,
        task=row.task,
        clip=clip,
        fps=row.fps,
        frames=row.frames,
        camera=row.calibration,
        question=row.question,
        system=prompt.value_system if asks_value else prompt.system,
        text=prompt.ask(row.question),
        choices=() if asks_value else CHOICES,
        episode=clip.parent,
        times=row.times or (),
        unit=row.unit if isinstance(row, ValueRow) else None,
        about=row.about if isinstance(row, ValueRow) else None,
    )
