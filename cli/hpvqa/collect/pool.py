"""The pool of workers: child processes, each of which makes episodes one at a time, or many side by side."""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from queue import Empty, Queue
from typing import Protocol

from hpvqa.collect.exchange import Exchange
from hpvqa.collect.executor import Job
from hpvqa.collect.messages import Batch, Made, Rendered, Reply, Setup, Trouble, Try, counts
from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.record.episode import EpisodeRecord, FailedAttempt

ATTEMPTS = 3
"""How often an episode is tried, each time with other nuisance variables, before it is kept as failed."""
LINGER = 0.5
"""A batch that is not full begins when no further episode has come for this long [s]."""
POLL = 0.1
"""How often a child is looked at that says nothing [s]."""


class Child(Protocol):
    """A started child process."""

    def ended(self) -> int | None:
        """The exit code; None while it runs."""

    def finish(self) -> None:
        """Wait for a child that was asked to stop."""

    def kill(self) -> None:
        """End the child at once."""


@dataclass(frozen=True)
class Launcher:
    """What the children of a pool are.

    Attributes:
        start: Starts one that is to talk through the given address.
        why_ended: Why one ended by itself, in words, from its setup and its exit code.
        environments: How many episodes each makes at a time.
        threads: How many clips each encodes at a time.
        one_task: Whether each makes episodes of one task only.
    """

    start: Callable[[str, Setup], Child]
    why_ended: Callable[[Setup, int], str]
    environments: int = 1
    threads: int = 1
    one_task: bool = False


@dataclass
class Pending:
    """An episode to make, and what became of it so far.

    Attributes:
        job: The episode.
        future: Whoever waits for it.
        failed: Attempts that failed.
    """

    job: Job
    future: Future[EpisodeRecord]
    failed: tuple[FailedAttempt, ...] = ()

    def next_try(self) -> Try:
        """The next attempt."""
        attempt = len(self.failed)
        return Try(
            spec=self.job.collection.spec(self.job.task, self.job.index, attempt),
            failed=self.failed,
            last=attempt == ATTEMPTS - 1,
        )

    def take(self, try_: Try, record: EpisodeRecord) -> bool:
        """Take in what became of an attempt; returns whether that is all."""
        if counts(try_, record):
            self.future.set_result(record)
            return True
        reason = record.outcome.reason or "unknown"
        self.failed += (FailedAttempt(attempt=record.spec.attempt, reason=reason),)
        return False


class ChildPool:
    """A :class:`hpvqa.collect.executor.Pool` of child processes of this machine.

    Args:
        children: How many.
        launcher: What they are.
    """

    def __init__(self, children: int, launcher: Launcher) -> None:
        self.workers = children * launcher.environments
        self._incoming: Queue[Pending | None] = Queue()
        self._killed = threading.Event()
        self._feeders = [_Feeder(launcher, self._incoming, self._killed) for _ in range(children)]

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        """Put one episode in line."""
        future: Future[EpisodeRecord] = Future()
        self._incoming.put(Pending(job, future))
        return future

    def frames(self) -> int:
        """How many frames were rendered so far."""
        return sum(feeder.frames() for feeder in self._feeders)

    def close(self) -> None:
        """End the children, which have nothing to do."""
        for _ in self._feeders:
            self._incoming.put(None)
        for feeder in self._feeders:
            feeder.thread.join()

    def kill(self) -> None:
        """End the children at once, whatever they are doing."""
        self._killed.set()
        self.close()


class _Feeder:
    """The thread that keeps one child busy, and its successors, if each makes one task only."""

    def __init__(self, launcher: Launcher, incoming: Queue[Pending | None], killed: threading.Event) -> None:
        self._launcher, self._incoming, self._killed = launcher, incoming, killed
        self._waiting: deque[Pending] = deque()
        self._closing = False
        self._current: tuple[Setup, Child, Exchange] | None = None
        self._frames = self._frames_before = 0
        self.thread = threading.Thread(target=self._run, name="child", daemon=True)
        self.thread.start()

    def frames(self) -> int:
        """How many frames the child and those before it have rendered."""
        return self._frames_before + self._frames

    def _run(self) -> None:
        try:
            while self._gather():
                self._make(self._next_batch())
            if not self._killed.is_set():
                self._stop_child()
        except BaseException as error:
            self._fail(error)
        finally:
            if self._current is not None:
                _, child, exchange = self._current
                child.kill()
                exchange.close()

    def _gather(self) -> bool:
        """Wait until there is something for a batch; False when there will be nothing more."""
        while not self._closing and len(self._waiting) < self._launcher.environments:
            try:
                arrived = self._incoming.get(timeout=LINGER if self._waiting else None)
            except Empty:
                break
            if arrived is None:
                self._closing = True
            else:
                self._waiting.append(arrived)
        return bool(self._waiting) and not self._killed.is_set()

    def _next_batch(self) -> list[Pending]:
        """Take episodes of one task out of the line, those first that came first."""
        task = self._waiting[0].job.task
        batch = [one for one in self._waiting if one.job.task == task][: self._launcher.environments]
        for one in batch:
            self._waiting.remove(one)
        return batch

    def _make(self, batch: list[Pending]) -> None:
        tries = [one.next_try() for one in batch]
        left = dict(enumerate(batch))
        try:
            setup, child, exchange = self._child_for(batch[0].job, tries[0])
            exchange.send(Batch(tries=tuple(tries)))
            while left and not self._killed.is_set():
                # Before its last words are read, so that none are missed.
                ended = child.ended()
                self._take(exchange.replies(POLL), tries, left)
                if left and ended is not None:
                    raise RunError(self._launcher.why_ended(setup, ended))
        finally:
            # What is left comes to nothing; whoever fails the others fails these too.
            self._waiting.extendleft(left.values())

    def _take(self, replies: Iterable[Reply], tries: list[Try], left: dict[int, Pending]) -> None:
        for reply in replies:
            if isinstance(reply, Rendered):
                self._frames = reply.frames
            elif isinstance(reply, Trouble):
                raise UsageError(reply.message) if reply.usage else RunError(reply.message)
            elif isinstance(reply, Made):
                one = left.pop(reply.number)
                if not one.take(tries[reply.number], reply.record):
                    self._waiting.appendleft(one)

    def _child_for(self, job: Job, first: Try) -> tuple[Setup, Child, Exchange]:
        """The child for a job; starts one, and stops the one for another task."""
        if self._current is not None:
            if not self._launcher.one_task or self._current[0].example.task == job.task:
                return self._current
            self._stop_child()
        environments, threads = self._launcher.environments, self._launcher.threads
        setup = Setup.of(job.collection, job.data, job.partial, first.spec, environments=environments, threads=threads)
        exchange = Exchange(setup)
        try:
            child = self._launcher.start(exchange.address, setup)
        except BaseException:
            exchange.close()
            raise
        self._current = setup, child, exchange
        return self._current

    def _stop_child(self) -> None:
        if self._current is None:
            return
        _, child, exchange = self._current
        exchange.stop()
        child.finish()
        exchange.close()
        self._frames_before, self._frames = self.frames(), 0
        self._current = None

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
