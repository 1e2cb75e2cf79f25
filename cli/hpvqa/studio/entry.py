"""What the studio knows of an episode before anyone looks at it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

from hpvqa.dataset.rows import Row
from hpvqa.errors import HpvqaError
from hpvqa.record.episode import RECORD_FILE, EpisodeRecord, episode_index, read_episode
from hpvqa.record.moments import frame_at, key_moments
from hpvqa.tasks import TASKS

State = Literal["ok", "failed", "damaged"]


@dataclass(frozen=True)
class Entry:
    """An episode.

    Attributes:
        key: Its folder, relative to what is shown, with ``/`` between the parts: its address.
        task: Its task.
        number: Its number within task and source; None if not even that is known.
        source: The data folder that it comes from.
        state: failed: the outcome contradicts the label; damaged: its record cannot be read.
        why: What is wrong with it, in a sentence; None: nothing.
        question: What its task asks.
        answer: The true answer.
        values: The hidden property of each thing, in words, by its name.
        split: Its split, in a data set.
        seed: Seed of its collection.
        clips: Its clips, relative to what is shown, by camera.
        fps: Frame rate of the clips [1/s].
        frames: How many frames they have.
        size: Width and height of their pictures [pixels].
        middle: Number of the frame in the middle of the story.
        recorded: Whether there is an ``episode.json``.
    """

    key: str
    task: str
    number: int | None
    source: str
    state: State = "ok"
    why: str | None = None
    question: str = ""
    answer: str | None = None
    values: Mapping[str, str] = field(default_factory=dict)
    split: str | None = None
    seed: int | None = None
    clips: Mapping[str, str] = field(default_factory=dict)
    fps: float = 0.0
    frames: int = 0
    size: tuple[int, int] = (4, 3)
    middle: int = 0
    recorded: bool = True


def recorded_entry(folder: Path, key: str, source: str) -> Entry:
    """An episode of a data folder; one that cannot be read says why.

    Args:
        folder: Where it is.
        key: Its address.
        source: Name of its data folder.
    """
    try:
        return _of_record(read_episode(folder), key, source)
    except (HpvqaError, OSError) as error:
        why = str(error).replace(str(folder), key)
    except (ArithmeticError, LookupError, ValueError):
        why = f"{key}/{RECORD_FILE} is damaged: its plan does not fit its task"
    return Entry(key, folder.parent.parent.name, episode_index(folder), source, state="damaged", why=why)


def _of_record(record: EpisodeRecord, key: str, source: str) -> Entry:
    spec, task, outcome, video = record.spec, record.task, record.outcome, record.video
    moments = key_moments(record)
    return Entry(
        key=key,
        task=spec.task,
        number=spec.index,
        source=source,
        state="ok" if outcome.ok else "failed",
        why=None if outcome.ok else outcome.reason,
        question=task.question,
        answer=task.answer(spec),
        values={name: task.words_for(value) for name, value in task.values(spec).items()},
        seed=spec.seed,
        clips={one.camera.name: f"{key}/{one.camera.name}.mp4" for one in record.cameras} if video else {},
        fps=video.fps if video else 0.0,
        frames=video.frames if video else 0,
        size=(video.width, video.height) if video else (4, 3),
        middle=frame_at(record, moments[len(moments) // 2].time) if video and video.frames else 0,
    )


def built_entry(rows: Sequence[Row], split: str, key: str, recorded: bool) -> Entry:
    """An episode of a data set.

    Args:
        rows: Its rows, one a camera.
        split: Its split.
        key: Its address.
        recorded: Whether its record is there, as it is but for data sets that were imported.
    """
    first = rows[0]
    task = TASKS.get(first.task)
    values = first.values or {}
    return Entry(
        key=key,
        task=first.task,
        number=first.episode,
        source=first.source,
        question=first.question,
        answer=first.answer,
        values={name: task.words_for(value) if task else f"{value:.3g}" for name, value in values.items()},
        split=split,
        seed=first.seed,
        clips={row.camera: f"{split}/{row.file_name}" for row in rows},
        fps=first.fps,
        frames=min(row.frames for row in rows),
        size=(first.width, first.height),
        middle=first.frames // 2,
        recorded=recorded,
    )
