"""Filling a data folder with episodes: resumable, interruptible, with any number of workers."""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hpvqa.collect.executor import Job, Pool, run_jobs
from hpvqa.collect.folder import check_ours, partial_dir
from hpvqa.collect.interrupts import counted_interrupts
from hpvqa.collect.lock import locked, settings_locked
from hpvqa.collect.report import Report, Tally, attempts
from hpvqa.collect.settings import COLLECTION_FILE, Collection, agree
from hpvqa.collect.shard import Shard
from hpvqa.collect.storage import Storage
from hpvqa.errors import UsageError
from hpvqa.files import write_json
from hpvqa.progress.reporter import Reporter
from hpvqa.record.episode import EpisodeRecord, episode_dir, episode_index, find_episodes, read_episode

Key = tuple[str, int]
"""Task and number of an episode."""


@dataclass(frozen=True)
class Request:
    """What should be there in the end.

    Attributes:
        data: The data folder.
        collection: Settings of all episodes.
        episodes: How many episodes of each task, those included that are there already.
        shard: The share of them that this run makes; None: all.
        stop_file: A file that interrupts the run when it appears.
        mixed: Whether tasks alternate, which makes estimates of time hold; else one task follows another.
        storage: Where the episodes are, if not in the data folder.
    """

    data: Path
    collection: Collection
    episodes: Mapping[str, int]
    shard: Shard | None = None
    stop_file: Path | None = None
    mixed: bool = True
    storage: Storage | None = None

    def indices(self, task: str) -> range:
        """The numbers of all episodes of one task of this run."""
        count = self.episodes[task]
        return range(count) if self.shard is None else self.shard.indices(count)

    def in_order(self) -> Iterator[Key]:
        """All episodes of this run, in the order in which they are begun; there may be billions."""
        tasks = (self._keys(number, task) for number, task in enumerate(self.episodes))
        return ((task, index) for _, task, index in heapq.merge(*tasks))

    def _keys(self, number: int, task: str) -> Iterator[tuple[float, str, int]]:
        count = self.episodes[task]
        for index in self.indices(task):
            yield (index + 0.5) / count if self.mixed else number, task, index

    def there(self, task: str) -> dict[int, Path]:
        """The folders of those episodes of one task of this run that are there already, by number."""
        wanted = self.indices(task)
        found = ((episode_index(folder), folder) for folder in find_episodes(self.data, task))
        return {index: folder for index, folder in found if index is not None and index in wanted}

    def records(self, task: str) -> Iterator[tuple[int, EpisodeRecord]]:
        """The same episodes' numbers and records, wherever they are."""
        if self.storage is not None:
            return self.storage.records(task, self.indices(task))
        return ((index, read_episode(folder)) for index, folder in self.there(task).items())


def collect(
    request: Request, open_pool: Callable[[int], Pool], reporter: Reporter, clock: Callable[[], float]
) -> Report:
    """Make all episodes of a request that are not there yet.

    Args:
        request: What should be there.
        open_pool: Opens the workers, given how many episodes are missing.
        reporter: Told about progress.
        clock: The time [s].

    Raises:
        UsageError: The folder is not ours, or holds other settings or a damaged episode; or the stop file is there.
        RunError: Another run holds the folder, a worker died, or the disk does not take an episode. Finished episodes
            are kept.
    """
    begin = clock()
    data = request.data
    check_ours(data)
    if request.stop_file is not None and request.stop_file.exists():
        raise UsageError(f"The stop file {request.stop_file} is there already; remove it first")
    data.mkdir(parents=True, exist_ok=True)
    with locked(data, request.shard):
        with settings_locked(data):
            _agree(request, reporter)
        tallies = {task: Tally(task, len(request.indices(task))) for task in request.episodes}
        total = sum(len(request.indices(task)) for task in request.episodes)
        there = _count_what_is_there(request, tallies)
        if there:
            reporter.note(f"{len(there)} of {total} episodes are there already")
        reporter.start("collect", "episodes", total=total, done=len(there))
        for sentence in request.collection.warnings():
            reporter.warning(sentence)
        left = total - len(there)
        if left:
            missing = (key for key in request.in_order() if key not in there)
            left = _make(request, missing, left, tallies, open_pool, reporter)
        status: Literal["finished", "interrupted"] = "interrupted" if left else "finished"
        reporter.done(status)
    return Report(
        data=str(data),
        status=status,
        seconds=clock() - begin,
        tasks={task: tally.report() for task, tally in tallies.items()},
    )


def _agree(request: Request, reporter: Reporter) -> None:
    """Write down the settings, where the episodes are, too, or check that they agree with those that are there."""
    data, storage = request.data, request.storage
    empty = next(find_episodes(data), None) is None
    unused = request.shard is None and empty
    if storage is not None:
        if not empty:
            raise UsageError(f"{data} holds episodes itself; choose another --out for those that go to {storage}")
        found = storage.settings()
        if found is not None:
            unused = False
            write_json(data / COLLECTION_FILE, found.model_dump(mode="json"))
    agree(data, request.collection, replace=unused, warn=reporter.warning)
    if storage is not None:
        storage.put_settings(data / COLLECTION_FILE)


def _count_what_is_there(request: Request, tallies: Mapping[str, Tally]) -> set[Key]:
    """Count all episodes that are there, and name them."""
    there = set()
    for task, tally in tallies.items():
        for index, record in request.records(task):
            tally.already(record)
            there.add((task, index))
    return there


def _make(
    request: Request,
    keys: Iterable[Key],
    left: int,
    tallies: Mapping[str, Tally],
    open_pool: Callable[[int], Pool],
    reporter: Reporter,
) -> int:
    """Make ``left`` episodes; returns how many are still missing after an interrupt."""

    def made(job: Job, record: EpisodeRecord) -> None:
        nonlocal left
        left -= 1
        tallies[job.task].made(record)
        tries, _ = attempts(record)
        reasons = [failure.reason for failure in record.failed_attempts]
        reporter.item(
            str(episode_dir(Path(), job.task, job.index)),
            ok=record.outcome.ok,
            tries=tries,
            message=record.outcome.reason or next(reversed(reasons), None),
        )

    with partial_dir(request.data, request.shard) as partial, counted_interrupts(request.stop_file) as interrupts:
        jobs = (Job(request.collection, task, index, request.data, partial) for task, index in keys)
        run_jobs(jobs, open_pool(left), interrupts, reporter, made)
    return left
