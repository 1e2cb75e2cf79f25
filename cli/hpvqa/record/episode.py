"""An episode on disk: a folder that appears whole, by one rename, or not at all."""

from __future__ import annotations

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, Self

from pydantic import Field, SerializerFunctionWrapHandler, ValidationError, model_serializer, model_validator
from pydantic.functional_validators import ModelWrapValidatorHandler

from hpvqa.errors import RunError, UsageError
from hpvqa.files import FileRecord, file_record, read_bytes, sync, write_json
from hpvqa.places import MARKERS, not_a
from hpvqa.plain import Model, explain
from hpvqa.probes.events import Event
from hpvqa.scene.camera import focal_pixels
from hpvqa.scene.layers import Layer
from hpvqa.scene.spec import CameraSpec, EpisodeSpec
from hpvqa.tasks import TASKS, not_installed
from hpvqa.tasks.base import Task
from hpvqa.tasks.outcome import Outcome

RECORD_VERSION: Literal[2] = 2
RECORD_FILE = MARKERS["episode"]
TRAJECTORY_FILE = "trajectory.parquet"
EPISODES_PER_SHARD = 1000


class VideoRecord(Model):
    """Format of an episode's clips."""

    fps: int = Field(ge=1, le=1200)
    width: int = Field(ge=1, le=4096)
    height: int = Field(ge=1, le=4096)
    frames: int = Field(ge=0, le=2**31 - 1)


class CameraRecord(Model):
    """A camera as it recorded: its pose, and its intrinsics [pixels] for the clip's resolution."""

    camera: CameraSpec
    fx: float
    fy: float
    cx: float
    cy: float

    @classmethod
    def of(cls, camera: CameraSpec, width: int, height: int) -> CameraRecord:
        """The record of a camera at a resolution."""
        focal = focal_pixels(camera.focal_length, width)
        return cls(camera=camera, fx=focal, fy=focal, cx=width / 2, cy=height / 2)


class LayersRecord(Model):
    """What was recorded beside the clip of every camera, in ``CAMERA.LAYER.mkv``."""

    recorded: tuple[Layer, ...] = Field(min_length=1, description="Which layers.")
    labels: dict[str, int] = Field(
        description="What the numbers of a segmentation mean, by name; 0: the room and its furniture."
    )


class FailedAttempt(Model):
    """An earlier attempt at the same episode whose outcome contradicted its label."""

    attempt: int
    reason: str


class EpisodeRecord(Model):
    """Everything about an episode that is not a time series: ``episode.json``."""

    schema_version: Literal[2] = RECORD_VERSION
    spec: EpisodeSpec
    outcome: Outcome
    failed_attempts: tuple[FailedAttempt, ...] = ()
    events: tuple[Event, ...]
    duration: float = Field(description="Length of the episode [s].")
    video: VideoRecord | None = Field(description="Format of the clips; null when none were recorded.")
    cameras: tuple[CameraRecord, ...] = Field(description="Poses and intrinsics of the recorded cameras.")
    layers: LayersRecord | None = Field(
        default=None, description="Depth and segmentation beside the clips; left out when none were recorded."
    )
    files: dict[str, FileRecord]
    versions: dict[str, str] = Field(description="What the results depend on.")
    checksum: str = Field(default="", description="SHA-256 of this record, as compact JSON without this field.")

    @model_validator(mode="wrap")
    @classmethod
    def _of_an_older_version(cls, data: Any, handler: ModelWrapValidatorHandler[Self]) -> Self:
        """The checksum of an older version is checked against what stands in the file, before anything is upgraded."""
        if not isinstance(data, dict) or data.get("schema_version") != 1:
            return handler(data)
        kept = {key: value for key, value in data.items() if key != "checksum"}
        record = handler({**kept, "schema_version": RECORD_VERSION, "checksum": data.get("checksum", "")})
        return record.sealed() if record.checksum == _digest(kept) else record

    @model_validator(mode="after")
    def _names_are_plain(self) -> Self:
        """No name leads out of the episode's folder."""
        for name in (*self.files, *(recorded.camera.name for recorded in self.cameras)):
            if not name or name in (".", "..") or "/" in name or "\0" in name:
                raise ValueError(f"{name!r} is not the name of a file in its folder")
        return self

    @model_serializer(mode="wrap")
    def _as_ever(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """That there are no layers is not written: there were none for long, checksums included."""
        data: dict[str, Any] = write(self)
        if self.layers is None:
            del data["layers"]
        return data

    @property
    def task(self) -> Task:
        """The task of the episode."""
        return TASKS[self.spec.task]

    def digest(self) -> str:
        """The checksum that this record should carry."""
        return _digest(self.model_dump(mode="json", exclude={"checksum"}))

    def sealed(self) -> Self:
        """The same record with its checksum filled in."""
        return self.model_copy(update={"checksum": self.digest()})


def _digest(data: dict[str, Any]) -> str:
    text = json.dumps(data, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def episode_name(index: int) -> str:
    """Name of an episode's folder."""
    return f"episode-{index:06d}"


def episode_dir(data: Path, task: str, index: int) -> Path:
    """Where an episode lies inside a data folder."""
    return data / task / f"{index // EPISODES_PER_SHARD:03d}" / episode_name(index)


def episode_index(folder: Path) -> int | None:
    """The number of an episode, from the name of its folder; None if it is no such name."""
    digits = folder.name.removeprefix("episode-")
    return int(digits) if digits.isdecimal() and episode_name(int(digits)) == folder.name else None


def recorded_tasks(data: Path) -> list[str]:
    """The tasks that a data folder may hold episodes of; those that are not installed here come last."""
    others = {path.parent.name for path in data.glob("[a-z]*/[0-9]*") if path.is_dir()} - TASKS.keys()
    return [*TASKS, *sorted(others)]


def find_episodes(data: Path, task: str | None = None) -> Iterator[Path]:
    """Folders of all finished episodes in a data folder, by task and number; those of unknown tasks come last."""
    for name in recorded_tasks(data) if task is None else (task,):
        for shard in sorted((data / name).glob("[0-9]*")):
            for folder in sorted(shard.glob("episode-*")):
                if (folder / RECORD_FILE).is_file():
                    yield folder


def read_episode(folder: Path) -> EpisodeRecord:
    """Read an episode's record.

    Raises:
        UsageError: The folder holds no episode, or its record is damaged.
        RunError: The record cannot be read.
    """
    path = folder / RECORD_FILE
    try:
        record = EpisodeRecord.model_validate_json(read_bytes(path))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(not_a("episode", folder)) from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    except ValidationError as error:
        raise UsageError(f"{path} is damaged ({explain(error)}); delete the folder and collect it again") from None
    if record.spec.task not in TASKS:
        raise UsageError(f"{path} cannot be understood. {not_installed(record.spec.task)}")
    return record


def publish(partial: Path, record: EpisodeRecord, final: Path) -> None:
    """Turn a finished partial folder into an episode: write its record last, flush all, rename.

    When the episode is there already (another machine was quicker), the partial folder is removed instead.

    Args:
        partial: Folder with the clips and the trajectory, on the same file system as ``final``.
        record: The record, without ``files`` and ``checksum``.
        final: Where the episode should appear.
    """
    files = {path.name: file_record(path) for path in sorted(partial.iterdir())}
    sealed = record.model_copy(update={"files": files}).sealed()
    write_json(partial / RECORD_FILE, sealed.model_dump(mode="json"))
    for path in (*sorted(partial.iterdir()), partial):
        sync(path)
    final.parent.mkdir(parents=True, exist_ok=True)
    try:
        partial.rename(final)
    except OSError:
        if not (final / RECORD_FILE).is_file():
            raise
        shutil.rmtree(partial)
    sync(final.parent)
