"""One row of a data set: a clip, a question, the answer, and everything known about how the clip came about.

Only the clip and the question are for a model. The rest is for whoever splits, filters or explains results.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePosixPath
from typing import Annotated, Any, ClassVar

from pydantic import Field, model_validator

from hpvqa.errors import UsageError
from hpvqa.plain import Model
from hpvqa.record.episode import CameraRecord, EpisodeRecord
from hpvqa.scene.spec import SIDES, EpisodeSpec, Side, Thing
from hpvqa.tasks.base import Form, Task

Cluster = tuple[str, str, int]
"""Task, source and number of an episode: rows that share them show the same event and are not independent."""

Gap = Annotated[float, Field(ge=0, le=1e6)]
"""How far apart two hidden values are; numbers that no thing has would break arithmetic further on."""


_MOST = 2**31 - 1
"""Largest whole number of a row: larger ones are no counts, and break arithmetic further on."""


class ClipRow(Model):
    """One video, one question, one answer. Fields that an imported data set does not know are None."""

    file_name: str = Field(description="The clip, relative to the folder of the split.")
    question: str
    answer: str
    task: str
    source: str = Field(description="The data folder that the episode comes from; numbers repeat between sources.")
    episode: int = Field(ge=0, le=_MOST, description="Number of the episode within its task and source.")
    camera: str
    first: str | None = Field(default=None, description="The thing that the robot acts on first, by its name.")
    values: dict[str, float] | None = Field(
        default=None, description="The hidden property of each thing, by its name, in the task's unit."
    )
    gap: Gap | None = Field(default=None, description="How far apart both hidden values are.")
    contacts: dict[str, float | None] | None = Field(
        default=None, description="When the hidden property of each thing first acts: touch or impact [s]."
    )
    fps: float = Field(ge=0, description="Frame rate of the clip [1/s].")
    frames: int = Field(ge=0, le=_MOST, description="Number of frames.")
    width: int = Field(ge=1, le=_MOST, description="[pixels]")
    height: int = Field(ge=1, le=_MOST, description="[pixels]")
    times: tuple[float, ...] | None = Field(
        default=None,
        description="When each stored frame is shown [s] if the frame rate varies: `fps` and `frames` then are those "
        "of a player, in which a frame stays until the next one. Empty if it is constant; imported data sets only.",
    )
    calibration: CameraRecord | None = Field(default=None, description="Pose and intrinsics of the camera.")
    seed: int | None = Field(default=None, description="Seed of the collection.")
    attempt: int | None = Field(default=None, description="How often nuisance variables were drawn anew.")
    shift: str | None = Field(
        default=None, description="What the episode changes for testing only; such rows are never for training."
    )
    version: str | None = Field(default=None, description="Version of hpvqa that recorded the clip.")
    original_question: str | None = Field(default=None, description="The wording in the data set that was imported.")
    wording: int | None = Field(
        default=None, ge=1, le=_MOST, description="Which paraphrase of the question it is; null: the task's own words."
    )

    @model_validator(mode="before")
    @classmethod
    def _of_an_older_version(cls, data: Any) -> Any:
        """Rows of version 1 had fields for the left and for the right thing."""
        if not isinstance(data, dict):
            return data
        for field, old in (("values", "{}"), ("contacts", "contact_{}")):
            names = {side: old.format(side) for side in SIDES}
            if any(name in data for name in names.values()):
                found = {side: data.get(name) for side, name in names.items()}
                kept = {key: value for key, value in data.items() if key not in names.values()}
                data = {field: None if None in found.values() else found, **kept}
        return data

    @property
    def cluster(self) -> Cluster:
        """The episode that the row is about."""
        return (self.task, self.source, self.episode)

    @property
    def key(self) -> str:
        """What it is known by in its split: the clip, and what tells it from other questions about the clip."""
        return self.file_name + self._ending

    @property
    def joined_key(self) -> str:
        """What the question is known by where it is asked about all clips of the episode at once."""
        return PurePosixPath(self.file_name).parent.as_posix() + self._ending

    @property
    def _ending(self) -> str:
        return ending(None, self.wording)


class Row(ClipRow):
    """A row that asks which of two has more."""

    form: ClassVar[Form] = "compare"

    answer: Side


class ValueRow(ClipRow):
    """A row that asks how much of it one thing has."""

    form: ClassVar[Form] = "value"

    answer: str = Field(description="The true value in words, to three digits.")
    about: str = Field(description="The thing whose hidden property is asked for, by its name.")
    value: float = Field(description="The true value, in the unit that is asked for.")
    unit: str = Field(description="The unit that is asked for; empty for a plain number.")

    @property
    def _ending(self) -> str:
        return ending(self.about, self.wording)


AnyRow = Row | ValueRow


def ending(about: str | None, wording: int | None) -> str:
    """What follows the name of a clip where several questions are asked about it."""
    return ("" if about is None else f"#{about}") + ("" if wording is None else f"~{wording}")


def parse_row(line: bytes) -> AnyRow:
    """A row from a line of JSON.

    Raises:
        ValidationError: It is none.
    """
    return (ValueRow if b'"about":' in line else Row).model_validate_json(line)


def episode_rows(
    record: EpisodeRecord, folder: str, source: str, *, forms: Sequence[Form] = ("compare",), paraphrased: bool = False
) -> tuple[AnyRow, ...]:
    """The rows of one episode, camera by camera in the order of the rig.

    Args:
        record: The episode.
        folder: Where its clips are, relative to the folder of the split.
        source: Name of the data folder that it comes from.
        forms: What is asked of each clip.
        paraphrased: Whether each question is also asked in other words, which differ between views and episodes.

    Raises:
        UsageError: The episode has no clips.
    """
    spec, task = record.spec, record.task
    if record.video is None:
        raise UsageError(
            f"The {spec.task} episode {spec.index} has no clips; collect it in another folder, without --no-video"
        )
    video = record.video
    shared = {
        "source": source,
        "episode": spec.index,
        "first": spec.order[0],
        "contacts": {name: task.probe.contact(record.events, name) for name in spec.names},
        "fps": video.fps,
        "frames": video.frames,
        "width": video.width,
        "height": video.height,
        "seed": spec.seed,
        "attempt": spec.attempt,
        "shift": spec.shift,
        "version": record.versions.get("hpvqa"),
    }
    views = [
        {
            **shared,
            "file_name": f"{folder}/{calibration.camera.name}.mp4",
            "camera": calibration.camera.name,
            "calibration": calibration,
        }
        for calibration in record.cameras
    ]
    return rows_about(task, spec, views, forms=forms, paraphrased=paraphrased)


def rows_about(
    task: Task,
    spec: EpisodeSpec,
    views: Sequence[Mapping[str, Any]],
    *,
    forms: Sequence[Form] = ("compare",),
    paraphrased: bool = False,
) -> tuple[AnyRow, ...]:
    """The rows of some views of one episode, which ask and answer what its task does.

    Args:
        task: The task.
        spec: What the things are.
        views: Of each clip, those fields of a row that do not follow from the task and the things.
        forms: What is asked of each clip.
        paraphrased: Whether each question is also asked in other words, which differ between views and episodes.
    """
    rows: list[AnyRow] = []
    for number, view in enumerate(views):
        facts = {"task": task.name, "values": task.values(spec), "gap": task.gap(spec), **view}
        turn = number + view["episode"] // 2
        for form in forms:
            for wording, text in _worded(task, form, turn, paraphrased=paraphrased):
                if form == "compare":
                    rows.append(Row(**facts, question=text, answer=task.answer(spec), wording=wording))
                else:
                    acted_on = [thing for thing in spec.things if thing.name in spec.order]
                    rows += [_value_row(facts, task, thing, text, wording) for thing in acted_on]
    return tuple(rows)


def _worded(task: Task, form: Form, turn: int, *, paraphrased: bool) -> Iterator[tuple[int | None, str]]:
    """The task's own words, then one of their paraphrases; which one it is does not tell the answer."""
    yield None, task.question if form == "compare" else task.value_question
    others = task.paraphrases(form) if paraphrased else ()
    if others:
        yield turn % len(others) + 1, others[turn % len(others)]


def _value_row(facts: Mapping[str, Any], task: Task, thing: Thing, text: str, wording: int | None) -> ValueRow:
    value = task.asked_value(thing)
    return ValueRow(
        **facts,
        question=text.format(thing=thing.words),
        answer=with_unit(value, task.asked_unit),
        about=thing.name,
        value=value,
        unit=task.asked_unit,
        wording=wording,
    )


def with_unit(value: float, unit: str) -> str:
    """A value to three digits, as a person writes it."""
    return f"{significant(value)} {unit}".rstrip()


def significant(value: float, digits: int = 3) -> str:
    """A number to so many digits, without an exponent."""
    rounded = float(f"{value:.{digits - 1}e}")
    decimals = 0 if rounded == 0 else max(digits - 1 - math.floor(math.log10(abs(rounded))), 0)
    return f"{rounded:.{decimals}f}"
