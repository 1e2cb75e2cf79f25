"""Mapping episodes over a pool of workers, until all are made or the user has had enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, wait
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hpvqa.collect.interrupts import Interrupts
from hpvqa.collect.settings import Collection
from hpvqa.progress.reporter import Reporter
from hpvqa.record.episode import EpisodeRecord

TICK = 0.25
"""How often interrupts and frames are looked at while all workers are busy [s]."""


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


class Pool(Protocol):
    """Something that makes episodes side by side, such as processes of this machine or a client of a cluster."""

    @property
    def workers(self) -> int:
        """How many at a time; nodes of a cluster come and go."""

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        """Begin one episode."""

    def frames(self) -> int:
        """How many frames were rendered so far."""

    def close(self) -> None:
        """End the workers, which are idle."""

    def kill(self) -> None:
        """End the workers at once, whatever they are doing."""


def run_jobs(
    jobs: Iterable[Job],
    pool: Pool,
    interrupts: Interrupts,
    reporter: Reporter,
    made: Callable[[Job, EpisodeRecord], None],
) -> None:
    """Make episodes side by side; the pool is closed in the end.

    A first interrupt lets the running episodes finish, a second one drops them; in both cases this returns early.

    Args:
        jobs: The episodes, in the order in which they are begun.
        pool: The workers.
        interrupts: What the user asked for meanwhile.
        reporter: Told about frames and interrupts.
        made: Told about every finished episode.

    Raises:
        HpvqaError: A worker failed or died; the others were ended at once.
    """
    waiting = iter(jobs)
    running: dict[Future[EpisodeRecord], Job] = {}
    told = False
    try:
        while interrupts.count < 2:
            # No more than are being worked on, so that nothing else is left to do after an interrupt.
            while len(running) < pool.workers and not interrupts.count and (job := next(waiting, None)):
                running[pool.submit(job)] = job
            if not running:
                pool.close()
                return
            if interrupts.count and not told:
                told = True
                reporter.note("Letting the running episodes finish; interrupt again (Ctrl-C) to drop them")
            finished, _ = wait(running, timeout=TICK, return_when=FIRST_COMPLETED)
            for future in finished:
                made(running.pop(future), future.result())
            reporter.frames(pool.frames())
    finally:
        pool.kill()
