"""Mapping episode jobs over a pool of workers, until all are done or the user has had enough."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Future, wait

from hpvqa.collect.interrupts import Interrupts
from hpvqa.collect.pool import Pool
from hpvqa.collect.worker import Job
from hpvqa.errors import RunError
from hpvqa.progress.reporter import Reporter
from hpvqa.record.episode import EpisodeRecord

TICK = 0.25
"""How often interrupts and frames are looked at while all workers are busy [s]."""


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
    except BrokenExecutor:
        raise RunError(
            "A worker ended unexpectedly, most likely because memory ran out; "
            "run the same command again with fewer --workers, finished episodes are kept"
        ) from None
    finally:
        pool.kill()
