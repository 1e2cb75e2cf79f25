"""One row of a data set: a clip, a question, the answer, and everything known about how the clip came about.

Only the clip and the question are for a model. The rest is for whoever splits, filters or explains results.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated

from pydantic import Field

from hpvqa.errors import UsageError
from hpvqa.plain import Model
from hpvqa.record.episode import CameraRecord, EpisodeRecord
from hpvqa.scene.spec import Side
from hpvqa.tasks.base import find_event
from hpvqa.tasks.outcome import Event

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
    first: Side | None = Field(default=None, description="The side that the robot acts on first.")
    left: float | None = Field(default=None, description="Hidden value of the left object: mass [kg] or restitution.")
    right: float | None = Field(default=None, description="Hidden value of the right object.")
    gap: Gap | None = Field(default=None, description="How far apart both hidden values are.")
    contact_left: float | None = Field(
        default=None, description="When the left object's hidden property first acts: touch or impact [s]."
    )
    contact_right: float | None = Field(default=None, description="The same for the right object [s].")
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
    version: str | None = Field(default=None, description="Version of hpvqa that recorded the clip.")
    original_question: str | None = Field(default=None, description="The wording in the data set that was imported.")

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
            first=spec.first,
            left=task.hidden_value(spec, "left"),
            right=task.hidden_value(spec, "right"),
            gap=task.gap(spec),
            contact_left=contact_time(record.events, "left"),
            contact_right=contact_time(record.events, "right"),
            fps=video.fps,
            frames=video.frames,
            width=video.width,
            height=video.height,
            calibration=calibration,
            seed=spec.seed,
            attempt=spec.attempt,
            version=record.versions.get("hpvqa"),
        )
        for calibration in record.cameras
    )


def contact_time(events: Sequence[Event], side: Side) -> float | None:
    """When an object's hidden property first acts [s]: its impact after a release, else the gripper's first touch."""
    release = find_event(events, "release", side)
    impact = release and find_event(events, "impact", side, after=release.t)
    moment = impact or find_event(events, "first_touch", side, "gripper")
    return None if moment is None else moment.t
