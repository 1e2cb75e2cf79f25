"""Collecting on a Ray cluster: every core of it makes one episode at a time."""

from __future__ import annotations

import shutil
import tempfile
import uuid
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path

from hpvqa.cluster import Cluster
from hpvqa.collect.child import Record, make, open_record
from hpvqa.collect.executor import Job
from hpvqa.collect.messages import Batch, Made, Reply, Setup, Try, counts
from hpvqa.collect.pool import Pending
from hpvqa.collect.settings import PACKAGES
from hpvqa.collect.storage import Storage
from hpvqa.errors import HpvqaError, RunError
from hpvqa.record.episode import EpisodeRecord, episode_dir

MAKE = f"{__name__}:make_episode"


class RayPool:
    """A :class:`hpvqa.collect.executor.Pool` of the cores of a cluster.

    Args:
        address: Where the cluster is.
        most: How many episodes at a time at most; None: one for each core, now and when nodes have come or gone.
        storage: Where the episodes go; None: into the data folder, which all nodes see.
        tell: Takes sentences that a user should see, from any thread.

    Raises:
        HpvqaError: There is no such cluster, or no Ray.
    """

    def __init__(self, address: str, most: int | None, storage: Storage | None, tell: Callable[[str], None]) -> None:
        self._cluster = Cluster(address, PACKAGES, tell)
        self._most, self._storage = most, None if storage is None else str(storage)
        self._setup: str | None = None
        self._frames = 0

    @property
    def workers(self) -> int:
        """How many at a time. Asked for by name, more may wait than there are cores, which lets a cluster grow."""
        return self._most or self._cluster.workers

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        """Begin one episode."""
        pending = Pending(job, Future())
        self._begin(pending)
        return pending.future

    def frames(self) -> int:
        """How many frames were rendered so far, of attempts that are over."""
        return self._frames

    def close(self) -> None:
        """Let go of the cluster."""
        self._cluster.close()

    def kill(self) -> None:
        """End what runs, and let go of the cluster."""
        self._cluster.close()

    def _begin(self, pending: Pending) -> None:
        job, attempt = pending.job, pending.next_try()
        if self._setup is None:
            self._setup = Setup.of(job.collection, job.data, job.partial, attempt.spec).model_dump_json()
        call = self._cluster.submit(MAKE, self._setup, attempt.model_dump_json(), self._storage)
        call.add_done_callback(lambda done: self._take(pending, attempt, done))

    def _take(self, pending: Pending, attempt: Try, done: Future[str]) -> None:
        try:
            record = EpisodeRecord.model_validate_json(done.result())
            if record.video is not None:
                self._frames += record.video.frames * len(record.cameras)
            if not pending.take(attempt, record):
                self._begin(pending)
        except HpvqaError as error:
            pending.future.set_exception(error)
        except Exception as error:
            pending.future.set_exception(RunError(f"Collecting failed unexpectedly: {error!r}"))


def make_episode(setup: str, attempt: str, storage: str | None) -> str:
    """Make one attempt on a node, and put it where episodes go if it counts.

    Args:
        setup: A :class:`Setup` as JSON, the same for all calls of a run.
        attempt: A :class:`Try` as JSON.
        storage: Where it goes, if not into the data folder.

    Returns:
        The :class:`EpisodeRecord` as JSON.

    Raises:
        HpvqaError: This node cannot, or the disk or the storage does not take it.
    """
    one = Try.model_validate_json(attempt)
    replies: list[Reply] = []
    record = _opened(setup)
    with _workplace(Setup.model_validate_json(setup), storage) as place:
        make(Batch(tries=(one,)), place, record, _ignore, replies.append)
        (made,) = replies
        assert isinstance(made, Made)  # noqa: S101 - what it says of one attempt
        if storage is not None and counts(one, made.record):
            task, index = one.spec.task, one.spec.index
            Storage(storage).put_episode(episode_dir(place.data, task, index), task, index)
    return made.record.model_dump_json()


def _ignore(frames: int) -> None:
    """Frames are counted when an attempt is over."""


@lru_cache(maxsize=1)
def _opened(setup: str) -> Record:
    """The simulator of this process, which Ray gives many calls."""
    return open_record(Setup.model_validate_json(setup))


@contextmanager
def _workplace(setup: Setup, storage: str | None) -> Iterator[Setup]:
    """The setup with a folder for one attempt alone: a node that is taken for lost may still be writing to its own."""
    if storage is not None:
        with tempfile.TemporaryDirectory(prefix="hpvqa-") as folder:
            partial = Path(folder, "partial")
            partial.mkdir()
            yield setup.model_copy(update={"data": Path(folder, "data"), "partial": partial})
        return
    if not setup.partial.is_dir():
        raise RunError(
            f"{setup.data} is not there, or not the same folder; give an --out that all nodes share, or --storage"
        )
    partial = setup.partial / uuid.uuid4().hex
    try:
        partial.mkdir()
    except OSError as error:
        raise RunError(f"{setup.data} cannot be written: {error.strerror}") from None
    try:
        yield setup.model_copy(update={"partial": partial})
    finally:
        shutil.rmtree(partial, ignore_errors=True)
