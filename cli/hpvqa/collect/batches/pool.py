"""A pool whose workers are the environments of one child process after another, one for each task."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable
from concurrent.futures import Future
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path
from queue import Empty, Queue
from typing import Protocol

from hpvqa.collect.batches.exchange import POLL, Exchange
from hpvqa.collect.batches.messages import Batch, Frames, Made, Setup, Trouble, Try, counts
from hpvqa.collect.worker import ATTEMPTS, Job
from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.record.episode import EpisodeRecord, FailedAttempt

LINGER = 0.5
"""A batch that is not full begins when no further episode has come for this long [s]."""


class Child(Protocol):
    """A started child process."""

    def ended(self) -> int | None:
        """The exit code; None while it runs."""

    def finish(self) -> None:
        """Wait for a child that was asked to stop."""

    def kill(self) -> None:
        """End the child at once."""


StartChild = Callable[[Path, Setup], Child]
"""Starts a child that is to talk through the given folder."""
WhyEnded = Callable[[Setup, int], str]
"""Why a child ended by itself, in words, from its setup and its exit code."""


@dataclass
class _Waiting:
    job: Job
    future: Future[EpisodeRecord]
    failed: tuple[FailedAttempt, ...] = ()

    def next_try(self) -> Try:
        attempt = len(self.failed)
        return Try(
            spec=self.job.collection.spec(self.job.task, self.job.index, attempt),
            failed=self.failed,
            last=attempt == ATTEMPTS - 1,
        )


class BatchPool:
    """A :class:`hpvqa.collect.pool.Pool` for simulators that make many episodes at a time.

    Args:
        environments: How many at a time.
        threads: How many clips are encoded at a time.
        start: Starts a child.
        why_ended: Explains why one ended by itself.
    """

    def __init__(self, environments: int, threads: int, start: StartChild, why_ended: WhyEnded) -> None:
        self.workers = environments
        self._threads = threads
        self._start = start
        self._why_ended = why_ended
        self._incoming: Queue[_Waiting | None] = Queue()
        self._waiting: deque[_Waiting] = deque()
        self._closing = False
        self._killed = threading.Event()
        self._child: Child | None = None
        self._exchange: Exchange | None = None
        self._setup: Setup | None = None
        self._children = 0
        self._frames = self._frames_before = 0
        self._stack = ExitStack()
        self._thread = threading.Thread(target=self._run, name="batches", daemon=True)
        self._thread.start()

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        """Put one episode in line."""
        future: Future[EpisodeRecord] = Future()
        self._incoming.put(_Waiting(job, future))
        return future

    def frames(self) -> int:
        """How many frames were rendered so far."""
        return self._frames_before + self._frames

    def close(self) -> None:
        """End the child, which has nothing to do."""
        self._incoming.put(None)
        self._thread.join()

    def kill(self) -> None:
        """End the child at once, whatever it is doing."""
        self._killed.set()
        self._incoming.put(None)
        self._thread.join()

    def _run(self) -> None:
        try:
            while self._gather():
                self._make(self._next_batch())
            if not self._killed.is_set():
                self._stop_child()
        except BaseException as error:
            self._fail(error)
        finally:
            if self._child is not None:
                self._child.kill()
            self._stack.close()

    def _gather(self) -> bool:
        """Wait until there is something for a batch; False when there will be nothing more."""
        while not self._closing and len(self._waiting) < self.workers:
            try:
                arrived = self._incoming.get(timeout=LINGER if self._waiting else None)
            except Empty:
                break
            if arrived is None:
                self._closing = True
            else:
                self._waiting.append(arrived)
        return bool(self._waiting) and not self._killed.is_set()

    def _next_batch(self) -> list[_Waiting]:
        """Take episodes of one task out of the line, those first that came first."""
        task = self._waiting[0].job.task
        batch = [one for one in self._waiting if one.job.task == task][: self.workers]
        for one in batch:
            self._waiting.remove(one)
        return batch

    def _make(self, batch: list[_Waiting]) -> None:
        tries = [one.next_try() for one in batch]
        left = dict(enumerate(batch))
        try:
            exchange = self._exchange_for(batch[0].job, tries[0])
            exchange.send(Batch(tries=tuple(tries)))
            while left and not self._killed.is_set():
                ended = self._child.ended() if self._child else 0
                for reply in exchange.replies():
                    self._take(reply, tries, left)
                if left and ended is not None and self._setup is not None:
                    raise RunError(self._why_ended(self._setup, ended))
                self._killed.wait(POLL)
        finally:
            # What is left comes to nothing; whoever fails the others fails these too.
            self._waiting.extendleft(left.values())

    def _take(self, reply: object, tries: list[Try], left: dict[int, _Waiting]) -> None:
        if isinstance(reply, Frames):
            self._frames = reply.frames
        elif isinstance(reply, Trouble):
            raise UsageError(reply.message) if reply.usage else RunError(reply.message)
        elif isinstance(reply, Made):
            one, record = left.pop(reply.number), reply.record
            if counts(tries[reply.number], record):
                one.future.set_result(record)
            else:
                reason = record.outcome.reason or "unknown"
                one.failed += (FailedAttempt(attempt=record.spec.attempt, reason=reason),)
                self._waiting.appendleft(one)

    def _exchange_for(self, job: Job, example: Try) -> Exchange:
        """The way to a child for a job's task; starts one, and stops the one for another task."""
        if self._exchange is not None and self._setup is not None and self._setup.example.task == job.task:
            return self._exchange
        self._stop_child()
        settings = job.collection.tasks[job.task]
        self._setup = Setup(
            data=job.data.resolve(),
            partial=job.partial.resolve(),
            fps=settings.fps,
            resolution=job.collection.resolution,
            environments=self.workers,
            threads=self._threads,
            example=example.spec,
        )
        folder = job.partial.resolve() / f"exchange-{self._children}"
        self._children += 1
        self._exchange = Exchange(folder)
        self._stack.enter_context(self._exchange.hosted(self._setup))
        self._child = self._start(folder, self._setup)
        return self._exchange

    def _stop_child(self) -> None:
        if self._child is None or self._exchange is None:
            return
        self._exchange.stop()
        self._child.finish()
        self._frames_before, self._frames = self.frames(), 0
        self._child = self._exchange = None
        self._stack.close()

    def _fail(self, error: BaseException) -> None:
        """Nothing more will be made: tell everybody who waits, now or later."""
        if not isinstance(error, (HpvqaError, OSError)):
            error = RunError(f"Collecting failed unexpectedly: {error!r}")
        while True:
            for one in self._waiting:
                one.future.set_exception(error)
            self._waiting.clear()
            arrived = self._incoming.get()
            if arrived is None:
                return
            self._waiting.append(arrived)
