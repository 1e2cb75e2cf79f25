"""Making one episode: a pure function from its plan to its folder, and the process that it runs in."""

from __future__ import annotations

import errno
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from hpvqa.collect.settings import Collection
from hpvqa.errors import RunError
from hpvqa.record.episode import EpisodeRecord, FailedAttempt, episode_dir, episode_name, publish
from hpvqa.scene.spec import EpisodeSpec

ATTEMPTS = 3
"""How often an episode is tried, each time with other nuisance variables, before it is kept as failed."""

OnFrames = Callable[[int], None]
Record = Callable[[EpisodeSpec, Path, OnFrames], EpisodeRecord]
"""Records an episode into an existing empty folder and says so after every few frames."""
OpenRecord = Callable[[Collection], Record]
"""Opens what records episodes; called once in every worker."""


@dataclass(frozen=True)
class Job:
    """One episode to make.

    Attributes:
        collection: The settings that all episodes share.
        task: Name of the task.
        index: Number of the episode within its task.
        data: The data folder.
        partial: Where unfinished episodes of this run lie, on the same file system.
    """

    collection: Collection
    task: str
    index: int
    data: Path
    partial: Path


def open_simulator_record(collection: Collection) -> Record:
    """Record with the collection's simulator: one serves all episodes of a worker.

    Raises:
        HpvqaError: The simulator, its meshes or the renderer is missing.
    """
    from hpvqa.record.recorder import record_episode
    from hpvqa.sim import open_simulator

    simulator = open_simulator(collection.resolution)

    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        fps = collection.tasks[spec.task].fps
        return record_episode(simulator, spec, folder, fps=fps, resolution=collection.resolution, on_frames=on_frames)

    return record


def make_episode(job: Job, record: Record, on_frames: OnFrames) -> EpisodeRecord:
    """Make one episode and publish it; nothing is left of it when that fails.

    An attempt whose outcome contradicts the label is made again with other nuisance variables. After the last attempt
    the episode is kept as failed, so that failures can be counted.

    Raises:
        RunError: The disk does not take it.
    """
    folder = job.partial / f"{job.task}-{episode_name(job.index)}"
    failed: list[FailedAttempt] = []
    try:
        while True:
            attempt = len(failed)
            folder.mkdir()
            made = record(job.collection.spec(job.task, job.index, attempt), folder, on_frames)
            if made.outcome.ok or attempt == ATTEMPTS - 1:
                break
            failed.append(FailedAttempt(attempt=attempt, reason=made.outcome.reason or "unknown"))
            shutil.rmtree(folder)
        made = made.model_copy(update={"failed_attempts": tuple(failed)})
        publish(folder, made, episode_dir(job.data, job.task, job.index))
    except OSError as error:
        raise disk_error(job.data, error) from error
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    return made


def disk_error(data: Path, error: OSError) -> RunError:
    """What to tell when the disk does not take an episode."""
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return RunError(
            f"The disk of {data} is full; free some space and run the same command again, finished episodes are kept"
        )
    return RunError(f"An episode cannot be written to {data}: {error}")


class Worker:
    """The state of a worker process.

    Args:
        open_record: Opens what records episodes; called for the first one, so that its errors reach the run.
        on_frames: Told how many frames were rendered.
    """

    def __init__(self, open_record: OpenRecord, on_frames: OnFrames) -> None:
        self._open_record = open_record
        self._on_frames = on_frames
        self._record: Record | None = None

    def make(self, job: Job) -> EpisodeRecord:
        """Make one episode; all jobs of a worker are of one collection."""
        if self._record is None:
            self._record = self._open_record(job.collection)
        return make_episode(job, self._record, self._on_frames)
