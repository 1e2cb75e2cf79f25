"""Stand-ins for the simulator that make tiny episodes at once, slowly, or not at all; and for the pool of workers."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from concurrent.futures import Future
from pathlib import Path

from hpvqa.collect.settings import Collection
from hpvqa.collect.worker import Job, OnFrames, OpenRecord, Record, Worker
from hpvqa.errors import UsageError
from hpvqa.recipe import Recipe, validate_recipe
from hpvqa.record.episode import EpisodeRecord
from hpvqa.scene.spec import EpisodeSpec
from hpvqa.tasks.outcome import Outcome

VERSIONS = {"hpvqa": "0", "numpy": "2.0"}


def recipe(**fields: object) -> Recipe:
    return validate_recipe({"video": False, **fields}, "test")


def collection(*tasks: str, versions: dict[str, str] = VERSIONS, **fields: object) -> Collection:
    return Collection.of(recipe(**fields), tasks or ("push", "drop"), versions)


def episode(spec: EpisodeSpec, reason: str | None = None) -> EpisodeRecord:
    return EpisodeRecord(
        spec=spec,
        outcome=Outcome(ok=reason is None, reason=reason),
        events=(),
        duration=6.0,
        video=None,
        cameras=(),
        files={},
        versions=VERSIONS,
    )


def quick(_: Collection) -> Record:
    """Every attempt is good."""

    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        assert list(folder.iterdir()) == []
        (folder / "trajectory.parquet").write_text(spec.model_dump_json())
        on_frames(7)
        return episode(spec)

    return record


def clumsy(_: Collection) -> Record:
    """Episodes 1, 4, 7, ... need a second attempt; episode 2 always fails."""

    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        assert list(folder.iterdir()) == []
        (folder / "trajectory.parquet").write_text(spec.model_dump_json())
        bad = spec.index == 2 or (spec.index % 3 == 1 and spec.attempt == 0)
        return episode(spec, f"attempt {spec.attempt} missed" if bad else None)

    return record


def slow(_: Collection) -> Record:
    """An episode takes a second."""

    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        for part in range(10):
            (folder / f"{part}.part").write_text(spec.model_dump_json())
            time.sleep(0.1)
            on_frames(7)
        return episode(spec)

    return record


def endless(_: Collection) -> Record:
    """An episode never ends."""

    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        (folder / "0.part").write_text("")
        while True:
            time.sleep(1)

    return record


def full_disk(_: Collection) -> Record:
    """The third episode does not fit on the disk."""

    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        (folder / "trajectory.parquet").write_text("half an")
        if spec.index == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "trajectory.parquet"))
        return episode(spec)

    return record


def no_gl(_: Collection) -> Record:
    raise UsageError("There is no OpenGL here; install Mesa")


def suicidal(_: Collection) -> Record:
    """The third episode takes its worker with it, as want of memory would."""

    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        (folder / "trajectory.parquet").write_text("half an")
        if spec.index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return episode(spec)

    return record


def tell_environment(_: Collection) -> Record:
    """The episode's file says what the worker sees of its surroundings."""

    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        threads = [os.environ[name] for name in ("LP_NUM_THREADS", "OMP_NUM_THREADS")]
        (folder / "seen.txt").write_text(" ".join([*threads, str(os.getpid())]))
        return episode(spec)

    return record


class SerialPool:
    """Makes every episode at once, in this process."""

    def __init__(self, open_record: OpenRecord, workers: int = 2) -> None:
        self.workers = workers
        self.ended = ""
        self._frames = 0
        self._worker = Worker(open_record, self._on_frames)

    def _on_frames(self, count: int) -> None:
        self._frames += count

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        future: Future[EpisodeRecord] = Future()
        try:
            future.set_result(self._worker.make(job))
        except Exception as error:
            future.set_exception(error)
        return future

    def frames(self) -> int:
        return self._frames

    def close(self) -> None:
        self.ended = self.ended or "closed"

    def kill(self) -> None:
        self.ended = self.ended or "killed"


def main(fake: str, args: list[str]) -> None:
    """The `hpvqa` command with one of the stand-ins above."""
    import hpvqa.collect.worker
    import hpvqa.main

    hpvqa.collect.worker.open_simulator_record = globals()[fake]
    hpvqa.main.main(args)


def command(fake: str, *args: str) -> list[str]:
    """The command line of :func:`main`."""
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from tests import collect_fakes"
    return [sys.executable, "-c", f"{script}; collect_fakes.main({fake!r}, sys.argv[1:])", *args]
