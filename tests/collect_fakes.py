"""Stand-ins for the simulator that make tiny episodes at once, slowly, or not at all; and for the pool of workers."""

from __future__ import annotations

import errno
import os
import signal
import sys
import time
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from pathlib import Path

import numpy as np

from hpvqa.collect.child import OnFrames, OpenRecord, Record, make, run
from hpvqa.collect.executor import Job
from hpvqa.collect.messages import Batch, Made, Reply, Setup
from hpvqa.collect.pool import Pending
from hpvqa.collect.settings import Collection
from hpvqa.errors import UsageError
from hpvqa.probes.events import Pose
from hpvqa.recipe import Recipe, validate_recipe
from hpvqa.record.episode import TRAJECTORY_FILE, CameraRecord, EpisodeRecord, VideoRecord
from hpvqa.record.trajectory import column_names, write_trajectory
from hpvqa.scene.spec import SIDES, EpisodeSpec
from hpvqa.tasks import TASKS
from hpvqa.tasks.outcome import Outcome
from tests.factories import FPS, FRAMES, HEIGHT, WIDTH, final_positions, make_clip, make_events

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


def one_by_one(record: Callable[[EpisodeSpec, Path, OnFrames], EpisodeRecord]) -> Record:
    """Record batches by what records one episode."""

    def batch(specs: Sequence[EpisodeSpec], folders: Sequence[Path], on_frames: OnFrames) -> list[EpisodeRecord]:
        return [record(spec, folder, on_frames) for spec, folder in zip(specs, folders, strict=True)]

    return batch


def tiny(_: Setup) -> Record:
    """Episodes whose clips are real, small, and say nothing."""

    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        for camera in spec.cameras:
            make_clip(folder / f"{camera.name}.mp4", brightness=20 + spec.index)
        final, events = final_positions(spec), make_events(spec)
        rows = np.zeros((FRAMES, len(column_names(SIDES))))
        for side in SIDES:
            first = column_names(SIDES).index(f"{side}_x")
            rows[:, first : first + 3] = np.linspace(spec.thing(side).position, final[side], FRAMES)
        write_trajectory(folder / TRAJECTORY_FILE, rows.tolist(), SIDES)
        on_frames(FRAMES * len(spec.cameras))
        return EpisodeRecord(
            spec=spec,
            outcome=TASKS[spec.task].check(spec, events, {name: Pose(place) for name, place in final.items()}),
            events=events,
            duration=FRAMES / FPS,
            video=VideoRecord(fps=FPS, width=WIDTH, height=HEIGHT, frames=FRAMES),
            cameras=tuple(CameraRecord.of(camera, WIDTH, HEIGHT) for camera in spec.cameras),
            files={},
            versions={},
        )

    return record


def quick(_: Setup) -> Record:
    """Every attempt is good."""

    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        assert list(folder.iterdir()) == []
        (folder / "trajectory.parquet").write_text(spec.model_dump_json())
        on_frames(7)
        return episode(spec)

    return record


def clumsy(_: Setup) -> Record:
    """Episodes 1, 4, 7, ... need a second attempt; episode 2 always fails."""

    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        assert list(folder.iterdir()) == []
        (folder / "trajectory.parquet").write_text(spec.model_dump_json())
        bad = spec.index == 2 or (spec.index % 3 == 1 and spec.attempt == 0)
        return episode(spec, f"attempt {spec.attempt} missed" if bad else None)

    return record


def slow(_: Setup) -> Record:
    """An episode takes a second."""

    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        for part in range(10):
            (folder / f"{part}.part").write_text(spec.model_dump_json())
            time.sleep(0.1)
            on_frames(7)
        return episode(spec)

    return record


def endless(_: Setup) -> Record:
    """An episode never ends."""

    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        (folder / "0.part").write_text("")
        while True:
            time.sleep(1)

    return record


def full_disk(_: Setup) -> Record:
    """The third episode does not fit on the disk."""

    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        (folder / "trajectory.parquet").write_text("half an")
        if spec.index == 2:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(folder / "trajectory.parquet"))
        return episode(spec)

    return record


def no_gl(_: Setup) -> Record:
    raise UsageError("There is no OpenGL here; install Mesa")


def suicidal(_: Setup) -> Record:
    """The third episode takes its worker with it, as want of memory would."""

    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        (folder / "trajectory.parquet").write_text("half an")
        if spec.index == 2:
            os.kill(os.getpid(), signal.SIGKILL)
        return episode(spec)

    return record


def tell_environment(_: Setup) -> Record:
    """The episode's file says what the worker sees of its surroundings."""

    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        threads = [os.environ[name] for name in ("LP_NUM_THREADS", "OMP_NUM_THREADS")]
        (folder / "seen.txt").write_text(" ".join([*threads, str(os.getpid())]))
        return episode(spec)

    return record


def make_episode(job: Job, record: Record, on_frames: OnFrames = lambda count: None) -> EpisodeRecord:
    """Make an episode in this process, with as many attempts as it takes."""
    pending = Pending(job, Future())
    while not pending.future.done():
        attempt = pending.next_try()
        replies: list[Reply] = []
        make(Batch(tries=(attempt,)), setup_of(job), record, on_frames, replies.append)
        (made,) = replies
        assert isinstance(made, Made)
        assert not list(job.partial.iterdir())
        pending.take(attempt, made.record)
    return pending.future.result()


def setup_of(job: Job) -> Setup:
    return Setup(
        backend="mujoco",
        data=job.data,
        partial=job.partial,
        fps={},
        resolution=None,
        environments=1,
        threads=1,
        example=job.collection.spec(job.task, job.index),
    )


class SerialPool:
    """Makes every episode at once, in this process."""

    def __init__(self, open_record: OpenRecord, workers: int = 2) -> None:
        self.workers = workers
        self.ended = ""
        self._frames = 0
        self._open_record = open_record
        self._record: Record | None = None

    def _on_frames(self, count: int) -> None:
        self._frames += count

    def submit(self, job: Job) -> Future[EpisodeRecord]:
        future: Future[EpisodeRecord] = Future()
        try:
            self._record = self._record or self._open_record(setup_of(job))
            future.set_result(make_episode(job, self._record, self._on_frames))
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
    import hpvqa.main
    from hpvqa.collect import mujoco

    mujoco.COMMAND = child_command(fake)
    hpvqa.main.main(args)


def child(fake: str, address: str) -> None:
    """A child process of it."""
    run(address, globals()[fake])


def command(fake: str, *args: str) -> list[str]:
    """The command line of :func:`main`."""
    return [*_script(f"main({fake!r}, sys.argv[1:])"), *args]


def child_command(fake: str) -> list[str]:
    """The command line of :func:`child`, but for the address."""
    return _script(f"child({fake!r}, sys.argv[1])")


def _script(call: str) -> list[str]:
    script = f"import sys; sys.path.insert(0, {str(Path(__file__).parents[1])!r}); from tests import collect_fakes"
    return [sys.executable, "-c", f"{script}; collect_fakes.{call}"]
