"""What a pool and its children tell each other, as JSON."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field, TypeAdapter

from hpvqa.collect.settings import Collection
from hpvqa.plain import Model
from hpvqa.record.episode import EpisodeRecord, FailedAttempt
from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import EpisodeSpec


class Setup(Model):
    """What a child needs to know once."""

    backend: str = Field(description="The simulator.")
    physics: str = Field(default="isaacsim", description="Where the simulator isaac computes.")
    data: Path
    partial: Path
    fps: dict[str, int] = Field(description="Frame rate by task.")
    resolution: tuple[int, int] | None
    layers: tuple[Layer, ...] = Field(default=(), description="What is recorded beside clips.")
    environments: int = Field(description="How many episodes at a time.")
    threads: int = Field(ge=1, description="How many clips are encoded at a time.")
    example: EpisodeSpec = Field(description="The first of the episodes.")

    @classmethod
    def of(
        cls,
        collection: Collection,
        data: Path,
        partial: Path,
        example: EpisodeSpec,
        *,
        environments: int = 1,
        threads: int = 1,
    ) -> Setup:
        """What a child needs to know of a collection."""
        return cls(
            backend=collection.backend,
            physics=collection.physics,
            data=data.resolve(),
            partial=partial.resolve(),
            fps={name: task.fps for name, task in collection.tasks.items()},
            resolution=collection.resolution,
            layers=collection.layers,
            environments=environments,
            threads=threads,
            example=example,
        )


class Try(Model):
    """One attempt at an episode."""

    spec: EpisodeSpec
    failed: tuple[FailedAttempt, ...] = Field(description="Earlier attempts.")
    last: bool = Field(description="Whether the episode is kept even if it fails.")


class Batch(Model):
    """Attempts to make side by side, all of one task."""

    tries: tuple[Try, ...]


class Rendered(Model):
    """How many frames were drawn since the child started."""

    kind: Literal["rendered"] = "rendered"
    frames: int


class Made(Model):
    """One attempt is over; if it counts, the episode is in the data folder."""

    kind: Literal["made"] = "made"
    number: int = Field(description="Which of the batch's tries.")
    record: EpisodeRecord


class Trouble(Model):
    """The child gives up."""

    kind: Literal["trouble"] = "trouble"
    message: str
    usage: bool = Field(description="Whether the user asked for something that cannot be done.")


Reply = Rendered | Made | Trouble
REPLY: TypeAdapter[Reply] = TypeAdapter(Annotated[Reply, Field(discriminator="kind")])


def counts(try_: Try, record: EpisodeRecord) -> bool:
    """Whether an attempt is the episode: it went well, or there are no more attempts."""
    return record.outcome.ok or try_.last
