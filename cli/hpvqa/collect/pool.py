"""Worker processes. Anything with the same few methods, such as a client of a cluster, can take their place."""

from __future__ import annotations

import multiprocessing
import os
import signal
from collections.abc import Iterator
from concurrent.futures import Future, ProcessPoolExecutor
from contextlib import contextmanager
from ctypes import c_longlong
from multiprocessing.sharedctypes import Synchronized
from typing import Protocol

from hpvqa.collect.worker import Job, OpenRecord, Worker, exit_with_parent
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
        self._frames: Synchronized[int] = context.Value(c_longlong, 0)
        self._others = {child.pid for child in multiprocessing.active_children()}
        self._executor = ProcessPoolExecutor(
            workers,
            mp_context=context,
            initializer=_initialize,
            initargs=(os.getpid(), open_record, self._frames),
        )

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        """Begin one episode; starts a worker when all are busy."""
        with _inherited():
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


@contextmanager
def _inherited() -> Iterator[None]:
    """Environment and signal mask for processes that are started meanwhile.

    Workers do not see Ctrl-C and SIGTERM, which reach a whole process group: the parent decides what becomes of them.
    They are blocked here and not in the worker, for a worker needs a second to come so far.
    """
    before = {name: os.environ.get(name) for name in _ENVIRONMENT}
    os.environ.update(_ENVIRONMENT)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT, signal.SIGTERM})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


_worker: Worker | None = None


def _initialize(parent: int, open_record: OpenRecord, frames: Synchronized[int]) -> None:
    global _worker
    exit_with_parent(parent)

    def on_frames(count: int) -> None:
        with frames.get_lock():
            frames.value += count

    _worker = Worker(open_record, on_frames)


def _make(job: Job) -> EpisodeRecord:
    assert _worker is not None  # noqa: S101 - the pool has initialised every process
    return _worker.make(job)
