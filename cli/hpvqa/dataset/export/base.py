"""What an exporter is given, and what it says of itself."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from hpvqa.dataset.load import Dataset
from hpvqa.dataset.rows import AnyRow
from hpvqa.dataset.splits import SPLITS, Selection, Split
from hpvqa.progress.reporter import Reporter

Media = Literal["frames", "clips"]
"""frames: the pictures that a model is shown in evaluation; clips: whole videos, of which others choose frames."""
Option = Literal["media", "frames", "language"]
"""What a user may choose, where a format leaves a choice."""


@dataclass(frozen=True)
class Seen:
    """The frames of one clip that a model is shown.

    Attributes:
        images: RGB, shape (n, height, width, 3).
        times: When each was recorded [s], shape (n,).
        rate: Frames a second [1/s]; None if they are not evenly spaced.
    """

    images: NDArray[np.uint8]
    times: tuple[float, ...]
    rate: float | None


@dataclass(frozen=True)
class Example:
    """A row, with the words that a model is told.

    Attributes:
        split: Its split.
        row: The row.
        clip: Its video file.
        system: What a model is told before all else; empty: nothing.
        text: What it is asked after the video.
    """

    split: Split
    row: AnyRow
    clip: Path
    system: str
    text: str


@dataclass(frozen=True)
class Job:
    """What is to be exported, and how.

    Attributes:
        dataset: The data set.
        examples: Its rows, those of one clip beside each other.
        media: What is exported of a clip.
        language: Whether questions are written into the format, where its older readers know none.
        look: Gives what a model is shown of each clip of some examples, in their order.
        sampling: How frames are chosen, as it is written down.
        fps: Frames a second that are wanted [1/s].
        reading: Source of a Python module that reads and scores replies as evaluation does, with nothing but Python:
            ``parse_choice(text, choices, cut=False)``, ``parse_value(text, unit, cut=False)`` and
            ``relative_error(value, truth)``.
        reporter: Told of every item.
    """

    dataset: Dataset
    examples: Sequence[Example]
    media: Media
    language: bool
    look: Callable[[Iterable[Example]], Iterator[Seen]]
    sampling: Mapping[str, Any]
    fps: float
    reading: str
    reporter: Reporter

    def by_split(self) -> dict[Split, list[Example]]:
        """The examples of each split that has any."""
        found = {split: [one for one in self.examples if one.split == split] for split in SPLITS}
        return {split: examples for split, examples in found.items() if examples}


@dataclass(frozen=True)
class Export:
    """A format.

    Attributes:
        write: Fills an empty folder, and returns what its user should know, in sentences.
        options: What a user may choose.
        splits: What it is about: whoever only evaluates has no use for training rows.
    """

    write: Callable[[Path, Job], Sequence[str]]
    options: frozenset[Option]
    splits: Selection = "all"


def by_clip(examples: Iterable[Example]) -> list[list[Example]]:
    """Examples together with the others about the same clip, in the order of the clips."""
    clips: dict[Path, list[Example]] = {}
    for example in examples:
        clips.setdefault(example.clip, []).append(example)
    return list(clips.values())


def about(example: Example) -> dict[str, Any]:
    """What tells an example from others; for whoever filters or scores, never for a model."""
    row = example.row
    return {
        "id": f"{example.split}/{row.key}",
        "task": row.task,
        "source": row.source,
        "episode": row.episode,
        "camera": row.camera,
        "form": row.form,
        "answer": row.answer,
    }
