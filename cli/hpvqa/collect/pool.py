"""Worker processes. Anything with the same few methods, such as a client of a cluster, can take their place."""

from __future__ import annotations

import multiprocessing
from concurrent.futures import Future, ProcessPoolExecutor
from ctypes import c_longlong
from multiprocessing.sharedctypes import Synchronized
from typing import Protocol

from hpvqa.collect.worker import Job, OpenRecord, Worker
from hpvqa.processes import exit_with_parent, inherited
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
        context = multiprocessing.get_context("spawn")
        self.workers = workers
        self._others = {child.pid for child in multiprocessing.active_children()}
        with inherited():
            # This starts a helper process of multiprocessing's own, which must be over before workers start: it lets
            # through the signals that are held back here.
            self._frames: Synchronized[int] = context.Value(c_longlong, 0)
        with inherited(_ENVIRONMENT):
            self._executor = ProcessPoolExecutor(
                workers,
                mp_context=context,
                initializer=_initialize,
                initargs=(open_record, self._frames),
            )
            # The executor sees the death of those workers alone that it knew when it began to wait, and it waits from
            # one result to the next: a first, empty job of each lets it know all of them while they start.
            for _ in range(workers):
                self._executor.submit(_start)

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        """Begin one episode."""
        with inherited(_ENVIRONMENT):
            return self._executor.submit(_make, job)

    def frames(self) -> int:
        """How many frames were rendered so far."""
        # Without the lock: a worker that is killed may hold it for ever, and reading an aligned integer is atomic.
        return int(self._frames.get_obj().value)

    def close(self) -> None:
        """End the workers, which are idle."""
        self._executor.shutdown()

    def kill(self) -> None:
        """End the workers at once, whatever they are doing."""
        for child in multiprocessing.active_children():
            if child.pid not in self._others:
                child.kill()
        self._executor.shutdown(cancel_futures=True)


_worker: Worker | None = None


def _initialize(open_record: OpenRecord, frames: Synchronized[int]) -> None:
    global _worker
    exit_with_parent()

    def on_frames(count: int) -> None:
        with frames.get_lock():
            frames.value += count

    _worker = Worker(open_record, on_frames)


def _start() -> None:
    """What a worker does first."""


def _make(job: Job) -> EpisodeRecord:
    assert _worker is not None  # noqa: S101 - the pool has initialised every process
    return _worker.make(job)
