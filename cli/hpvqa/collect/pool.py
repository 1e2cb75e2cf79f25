"""Worker processes. Anything with the same few methods, such as a client of a cluster, can take their place."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future
from ctypes import c_longlong
from multiprocessing.sharedctypes import Synchronized
from typing import Protocol

from hpvqa.collect.worker import Job, OpenRecord, Worker
from hpvqa.processes import Workers, exit_with_parent, start_tracker
from hpvqa.record.episode import EpisodeRecord

# Parallelism comes from the workers: software rendering and linear algebra would otherwise take all cores in each.
_ENVIRONMENT = {"LP_NUM_THREADS": "0", "OMP_NUM_THREADS": "1"}


class Pool(Protocol):
    """Something that makes episodes side by side."""

    workers: int
    """How many at a time."""

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        """Begin one episode."""

    def frames(self) -> int:
        """How many frames were rendered so far."""

    def close(self) -> None:
        """End the workers, which are idle."""

    def kill(self) -> None:
        """End the workers at once, whatever they are doing."""


class ProcessPool:
    """Workers that are processes of this machine.

    Args:
        workers: How many.
        open_record: Opens what records episodes, in every worker.
    """

    def __init__(self, workers: int, open_record: OpenRecord) -> None:
        self.workers = workers
        start_tracker()
        self._frames: Synchronized[int] = multiprocessing.get_context("spawn").Value(c_longlong, 0)
        self._processes = Workers(workers, _initialize, (open_record, self._frames), _ENVIRONMENT)

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        """Begin one episode."""
        return self._processes.submit(_make, job)

    def frames(self) -> int:
        """How many frames were rendered so far."""
        # Without the lock: a worker that is killed may hold it for ever, and reading an aligned integer is atomic.
        return int(self._frames.get_obj().value)

    def close(self) -> None:
        """End the workers, which are idle."""
        self._processes.close()

    def kill(self) -> None:
        """End the workers at once, whatever they are doing."""
        self._processes.kill()


_worker: Worker | None = None


def _initialize(open_record: OpenRecord, frames: Synchronized[int]) -> None:
    global _worker
    exit_with_parent()

    def on_frames(count: int) -> None:
        with frames.get_lock():
            frames.value += count

    _worker = Worker(open_record, on_frames)


def _make(job: Job) -> EpisodeRecord:
    assert _worker is not None  # noqa: S101 - the pool has initialised every process
    return _worker.make(job)
