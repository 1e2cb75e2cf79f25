"""Filling a data folder, with a pool that works in this process: any other executor could take its place."""

from __future__ import annotations

import io
import random
import shutil
import signal
from collections.abc import Callable
from concurrent.futures import Future
from pathlib import Path

import pytest
from rich.console import Console

from hpvqa.collect.child import OpenRecord
from hpvqa.collect.executor import Job, run_jobs
from hpvqa.collect.interrupts import Interrupts, counted_interrupts
from hpvqa.collect.report import Report
from hpvqa.collect.run import Request, collect
from hpvqa.collect.settings import read_collection
from hpvqa.collect.shard import Shard
from hpvqa.collect.table import print_report
from hpvqa.errors import RunError, UsageError
from hpvqa.progress.events import Done, Item, Note, Start
from hpvqa.progress.reporter import Reporter
from hpvqa.record.episode import RECORD_FILE, EpisodeRecord, episode_dir, find_episodes
from tests.collect_fakes import SerialPool, clumsy, collection, episode, full_disk, no_gl, quick
from tests.recorder import Recorder


def clock() -> float:
    return 0.0


def run(
    data: Path, open_record: OpenRecord = quick, shard: Shard | None = None, seed: int = 42, **episodes: int
) -> tuple[Report, Recorder, list[SerialPool]]:
    seen = Recorder()
    pools: list[SerialPool] = []

    def open_pool(missing: int) -> SerialPool:
        pools.append(SerialPool(open_record))
        return pools[-1]

    request = Request(data, collection(*episodes, seed=seed), episodes, shard)
    return collect(request, open_pool, Reporter([seen], clock), clock), seen, pools


def names(data: Path) -> list[str]:
    return [str(folder.relative_to(data)) for folder in find_episodes(data)]


def contents(data: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(data)): path.read_bytes()
        for folder in find_episodes(data)
        for path in sorted(folder.iterdir())
    }


def hidden_files(data: Path) -> list[Path]:
    return list((data / ".partial").iterdir())


def test_it_makes_what_is_asked_for(tmp_path: Path) -> None:
    report, seen, (pool,) = run(tmp_path, push=3, drop=2)
    assert names(tmp_path) == [f"push/000/episode-{i:06d}" for i in range(3)] + [
        f"drop/000/episode-{i:06d}" for i in range(2)
    ]
    assert report.status == "finished"
    assert {name: (task.asked, task.already, task.made) for name, task in report.tasks.items()} == {
        "push": (3, 0, 3),
        "drop": (2, 0, 2),
    }
    assert pool.ended == "closed"
    assert hidden_files(tmp_path) == []
    assert read_collection(tmp_path) == collection("push", "drop")
    assert [type(event).__name__ for event in seen.events] == ["Start"] + ["Item"] * 5 + ["Done"]


def test_the_same_again_makes_nothing(tmp_path: Path) -> None:
    run(tmp_path, push=3)
    before = {path: path.stat().st_mtime_ns for path in tmp_path.rglob("episode*")}
    report, seen, pools = run(tmp_path, push=3)
    assert (report.tasks["push"].already, report.tasks["push"].made) == (3, 0)
    assert pools == []
    assert [note.message for note in seen.of(Note)] == ["3 of 3 episodes are there already"]
    assert {path: path.stat().st_mtime_ns for path in tmp_path.rglob("episode*")} == before


def test_only_what_is_missing_is_made(tmp_path: Path) -> None:
    run(tmp_path, push=4)
    gone = episode_dir(tmp_path, "push", 2)
    whole = contents(tmp_path)
    (gone / "trajectory.parquet").unlink()
    (gone / RECORD_FILE).unlink()
    gone.rmdir()
    report, seen, _ = run(tmp_path, push=6, drop=1)
    assert [(task.already, task.made) for task in report.tasks.values()] == [(3, 3), (0, 1)]
    (start,) = seen.of(Start)
    assert (start.total, start.done) == (7, 3)
    assert {name: contents(tmp_path)[name] for name in whole} == whole
    fewer, _, _ = run(tmp_path, push=2)
    assert (fewer.tasks["push"].asked, fewer.tasks["push"].already) == (2, 2)
    assert len(names(tmp_path)) == 7


def test_shards_make_the_same_as_a_whole_run(tmp_path: Path) -> None:
    run(tmp_path / "whole", push=7, drop=3)
    reports = [run(tmp_path / "shards", shard=Shard(i, 3), push=7, drop=3)[0] for i in (3, 1, 2)]
    assert contents(tmp_path / "shards") == contents(tmp_path / "whole")
    assert [report.tasks["push"].made for report in reports] == [2, 3, 2]
    assert [report.tasks["drop"].asked for report in reports] == [1, 1, 1]


def test_tasks_are_evenly_mixed() -> None:
    keys = list(Request(Path(), collection(), {"push": 154, "drop": 125}).in_order())
    assert len(set(keys)) == 279
    for end in range(20, 280, 20):
        push = sum(task == "push" for task, _ in keys[:end])
        assert abs(push - end * 154 / 279) < 2


def test_the_order_of_episodes_follows_from_their_share_of_the_task() -> None:
    counts = {"push": 7, "drop": 3}
    mixed = sorted(((index + 0.5) / count, task, index) for task, count in counts.items() for index in range(count))
    assert list(Request(Path(), collection(), counts).in_order()) == [(task, index) for _, task, index in mixed]
    one_by_one = [(task, index) for task, count in counts.items() for index in range(count)]
    assert list(Request(Path(), collection(), counts, mixed=False).in_order()) == one_by_one


def test_billions_of_episodes_are_begun_at_once(tmp_path: Path) -> None:
    interrupts = 0

    class ImpatientPool(SerialPool):
        def submit(self, job: Job) -> Future[EpisodeRecord]:
            nonlocal interrupts
            interrupts += 1
            if interrupts == 4:
                signal.raise_signal(signal.SIGINT)
            return super().submit(job)

    many = 2**32 - 1
    request = Request(tmp_path, collection("push", "drop"), {"push": many, "drop": many})
    report = collect(request, lambda missing: ImpatientPool(quick), Reporter([], clock), clock)
    assert {name: (task.asked, task.made) for name, task in report.tasks.items()} == {
        "push": (many, 2),
        "drop": (many, 2),
    }


def test_folders_with_other_names_are_no_episodes(tmp_path: Path) -> None:
    run(tmp_path, push=2)
    folder = episode_dir(tmp_path, "push", 0)
    for name in ("episode-0", "episode-x", "episode-000002.copy"):
        shutil.copytree(folder, folder.with_name(name))
    report, _, _ = run(tmp_path, push=3)
    assert (report.tasks["push"].already, report.tasks["push"].made) == (2, 1)


def test_failures_are_kept_counted_and_explained(tmp_path: Path) -> None:
    report, seen, _ = run(tmp_path, clumsy, push=5)
    push = report.tasks["push"]
    assert (push.made, push.failed_attempts, push.failed) == (5, 5, 1)
    items = {event.name: event for event in seen.of(Item) if isinstance(event, Item)}
    assert [(item.ok, item.tries, item.message) for _, item in sorted(items.items())] == [
        (True, 1, None),
        (True, 2, "attempt 0 missed"),
        (False, 3, "attempt 2 missed"),
        (True, 1, None),
        (True, 2, "attempt 0 missed"),
    ]
    again, _, _ = run(tmp_path, clumsy, push=5)
    assert again.tasks["push"] == push.model_copy(update={"already": 5, "made": 0})


def test_other_settings_are_refused_once_there_are_episodes(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no OpenGL"):
        run(tmp_path, no_gl, push=2)
    run(tmp_path, seed=7, push=2)
    with pytest.raises(UsageError, match="seed is 7 there and 42 here"):
        run(tmp_path, push=2)
    with pytest.raises(UsageError, match="seed is 7 there and 42 here"):
        run(tmp_path, shard=Shard(1, 2), push=2)


def test_a_full_disk_ends_the_run_and_keeps_what_is_finished(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="is full"):
        run(tmp_path, full_disk, push=5)
    finished = names(tmp_path)
    assert finished[:2] == ["push/000/episode-000000", "push/000/episode-000001"]
    assert "push/000/episode-000002" not in finished
    assert hidden_files(tmp_path) == []
    report, _, _ = run(tmp_path, push=5)
    assert (report.tasks["push"].already, report.tasks["push"].made) == (len(finished), 5 - len(finished))


def test_a_damaged_episode_is_named_before_anything_is_made(tmp_path: Path) -> None:
    run(tmp_path, push=2)
    (episode_dir(tmp_path, "push", 1) / RECORD_FILE).write_text('{"schema_version": 1')
    with pytest.raises(UsageError, match=r"episode-000001/episode\.json is damaged"):
        run(tmp_path, push=3)
    assert len(names(tmp_path)) == 2


class StubbornPool:
    """Hands out futures that a test finishes by hand, while the run waits."""

    def __init__(self, workers: int, step: Callable[[dict[int, Future[EpisodeRecord]]], None]) -> None:
        self.workers = workers
        self.ended: list[str] = []
        self.begun: list[int] = []
        self._running: dict[int, Future[EpisodeRecord]] = {}
        self._step = step

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        self.begun.append(job.index)
        self._running[job.index] = Future()
        assert sum(not future.done() for future in self._running.values()) <= self.workers
        return self._running[job.index]

    def frames(self) -> int:
        self._step({index: future for index, future in self._running.items() if not future.done()})
        return 0

    def close(self) -> None:
        self.ended.append("closed")

    def kill(self) -> None:
        self.ended.append("killed")


@pytest.fixture
def jobs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[Job]:
    monkeypatch.setattr("hpvqa.collect.executor.TICK", 0.001)
    return [Job(collection(), "push", index, tmp_path, tmp_path) for index in range(8)]


def work(jobs: list[Job], pool: StubbornPool, interrupts: Interrupts, seen: Recorder | None = None) -> list[int]:
    made: list[int] = []

    def note(job: Job, record: EpisodeRecord) -> None:
        assert record.spec.index == job.index
        made.append(job.index)

    run_jobs(jobs, pool, interrupts, Reporter([seen or Recorder()], clock), note)
    return made


def finish(future: Future[EpisodeRecord], index: int) -> None:
    future.set_result(episode(collection().spec("push", index)))


def test_no_more_is_begun_than_there_are_workers_and_all_is_made_in_any_order(jobs: list[Job]) -> None:
    chance = random.Random(1)  # noqa: S311 - any order will do

    def step(running: dict[int, Future[EpisodeRecord]]) -> None:
        if running:
            index = chance.choice(sorted(running))
            finish(running[index], index)

    pool = StubbornPool(3, step)
    made = work(jobs, pool, Interrupts())
    assert pool.begun == list(range(8))
    assert sorted(made) == list(range(8))
    assert pool.ended[0] == "closed"


def test_the_first_interrupt_lets_running_episodes_finish(jobs: list[Job]) -> None:
    interrupts, seen = Interrupts(), Recorder()
    ticks = 0

    def step(running: dict[int, Future[EpisodeRecord]]) -> None:
        nonlocal ticks
        ticks += 1
        if ticks == 1:
            interrupts(signal.SIGINT, None)
        elif ticks > 5 and running:
            index = min(running)
            finish(running[index], index)

    pool = StubbornPool(2, step)
    assert work(jobs, pool, interrupts, seen) == [0, 1]
    assert pool.begun == [0, 1]
    assert pool.ended[0] == "closed"
    assert [note.message for note in seen.of(Note)] == [
        "Letting the running episodes finish; interrupt again (Ctrl-C) to drop them"
    ]


def test_the_second_interrupt_drops_them(jobs: list[Job]) -> None:
    interrupts = Interrupts()

    def step(running: dict[int, Future[EpisodeRecord]]) -> None:
        interrupts(signal.SIGINT, None)

    pool = StubbornPool(2, step)
    assert work(jobs, pool, interrupts) == []
    assert pool.ended == ["killed"]


def test_the_error_of_a_worker_is_that_of_the_run(jobs: list[Job]) -> None:
    def step(running: dict[int, Future[EpisodeRecord]]) -> None:
        running[min(running)].set_exception(RunError("a worker ended"))

    pool = StubbornPool(2, step)
    with pytest.raises(RunError, match="a worker ended"):
        work(jobs, pool, Interrupts())
    assert pool.ended == ["killed"]


def test_an_interrupted_run_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class ImpatientPool(SerialPool):
        def submit(self, job: Job) -> Future[EpisodeRecord]:
            signal.raise_signal(signal.SIGTERM)
            return super().submit(job)

    seen = Recorder()
    request = Request(tmp_path, collection("push"), {"push": 4})
    report = collect(request, lambda missing: ImpatientPool(quick), Reporter([seen], clock), clock)
    assert report.status == "interrupted"
    assert report.tasks["push"].made == len(names(tmp_path)) == 1
    (done,) = seen.of(Done)
    assert (done.status, done.done, done.total) == ("interrupted", 1, 4)
    assert hidden_files(tmp_path) == []
    run(tmp_path, push=4)
    assert len(names(tmp_path)) == 4


@pytest.mark.parametrize(("handler", "count"), [(signal.SIG_DFL, 1), (signal.SIG_IGN, 0)])
def test_a_signal_counts_unless_whoever_started_us_wants_it_ignored(handler: signal.Handlers, count: int) -> None:
    before = signal.signal(signal.SIGTERM, handler)
    try:
        with counted_interrupts() as interrupts:
            signal.raise_signal(signal.SIGTERM)
        assert interrupts.count == count
        assert signal.getsignal(signal.SIGTERM) == handler
    finally:
        signal.signal(signal.SIGTERM, before)


def test_the_report_is_plain_data(tmp_path: Path) -> None:
    report, _, _ = run(tmp_path, clumsy, push=3)
    assert Report.model_validate_json(report.model_dump_json()) == report
    stream = io.StringIO()
    print_report(report, Console(file=stream, width=80), deciles=True)
    assert "failed attempts" in stream.getvalue()
