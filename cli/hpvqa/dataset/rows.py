"""One row of a data set: a clip, a question, the answer, and everything known about how the clip came about.

Only the clip and the question are for a model. The rest is for whoever splits, filters or explains results.
"""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import Field, model_validator

from hpvqa.errors import UsageError
from hpvqa.plain import Model
from hpvqa.record.episode import CameraRecord, EpisodeRecord
from hpvqa.scene.spec import SIDES, Side

Cluster = tuple[str, str, int]
"""Task, source and number of an episode: rows that share them show the same event and are not independent."""

Gap = Annotated[float, Field(ge=0, le=1e6)]
"""How far apart two hidden values are; numbers that no thing has would break arithmetic further on."""


_MOST = 2**31 - 1
"""Largest whole number of a row: larger ones are no counts, and break arithmetic further on."""


class Row(Model):
    """One video, one question, one answer. Fields that an imported data set does not know are None."""

    file_name: str = Field(description="The clip, relative to the folder of the split.")
    question: str
    answer: Side
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


def episode_rows(record: EpisodeRecord, folder: str, source: str) -> tuple[Row, ...]:
    """The rows of one episode, one a camera, in the order of the rig.

    Args:
        record: The episode.
        folder: Where its clips are, relative to the folder of the split.
        source: Name of the data folder that it comes from.

    Raises:
        UsageError: The episode has no clips.
    """
    spec, task = record.spec, record.task
    if record.video is None:
        raise UsageError(
            f"The {spec.task} episode {spec.index} has no clips; collect it in another folder, without --no-video"
        )
    video = record.video
    return tuple(
        Row(
            file_name=f"{folder}/{calibration.camera.name}.mp4",
            question=task.question,
            answer=task.answer(spec),
            task=spec.task,
            source=source,
            episode=spec.index,
            camera=calibration.camera.name,
            first=spec.order[0],
            values=task.values(spec),
            gap=task.gap(spec),
            contacts={name: task.probe.contact(record.events, name) for name in spec.names},
            fps=video.fps,
            frames=video.frames,
            width=video.width,
            height=video.height,
            calibration=calibration,
            seed=spec.seed,
            attempt=spec.attempt,
            shift=spec.shift,
            version=record.versions.get("hpvqa"),
        )
        for calibration in record.cameras
    )
