"""Making one episode: attempts, and nothing half-written."""

from __future__ import annotations

import errno
from pathlib import Path

import pytest

from hpvqa.collect.child import OnFrames, Record
from hpvqa.collect.executor import Job
from hpvqa.errors import RunError
from hpvqa.record.episode import EpisodeRecord, episode_dir, read_episode
from hpvqa.scene.spec import EpisodeSpec
from tests.collect_fakes import clumsy, collection, episode, full_disk, make_episode, one_by_one, quick, setup_of


def job(data: Path, index: int, task: str = "push") -> Job:
    partial = data / ".partial" / "all.x"
    partial.mkdir(parents=True, exist_ok=True)
    return Job(collection(), task, index, data, partial)


def test_an_episode_appears_whole(tmp_path: Path) -> None:
    frames: list[int] = []
    made = make_episode(one := job(tmp_path, 5), quick(setup_of(one)), frames.append)
    folder = episode_dir(tmp_path, "push", 5)
    assert sorted(path.name for path in folder.iterdir()) == ["episode.json", "trajectory.parquet"]
    record = read_episode(folder)
    assert record.spec == made.spec == collection().spec("push", 5)
    assert record.checksum == record.digest()
    assert record.failed_attempts == ()
    assert frames == [7]
    assert list((tmp_path / ".partial" / "all.x").iterdir()) == []


def test_a_failed_attempt_is_made_again_and_noted(tmp_path: Path) -> None:
    make_episode(one := job(tmp_path, 4), clumsy(setup_of(one)))
    record = read_episode(episode_dir(tmp_path, "push", 4))
    first, second = (collection().spec("push", 4, attempt) for attempt in (0, 1))
    assert record.outcome.ok
    assert record.spec == second
    assert second.room != first.room
    assert [failure.model_dump() for failure in record.failed_attempts] == [
        {"attempt": 0, "reason": "attempt 0 missed"}
    ]


def test_after_the_third_attempt_it_is_kept_as_failed(tmp_path: Path) -> None:
    make_episode(one := job(tmp_path, 2, "drop"), clumsy(setup_of(one)))
    record = read_episode(episode_dir(tmp_path, "drop", 2))
    assert (record.outcome.ok, record.outcome.reason) == (False, "attempt 2 missed")
    assert record.spec.attempt == 2
    assert [failure.attempt for failure in record.failed_attempts] == [0, 1]
    mass = [record.spec.thing(side).restitution for side in ("left", "right")]
    assert mass == [collection().spec("drop", 2).thing(side).restitution for side in ("left", "right")]


def test_a_full_disk_leaves_nothing_half_written(tmp_path: Path) -> None:
    with pytest.raises(RunError, match=r"The disk of .* is full; free some space and run the same command again"):
        make_episode(one := job(tmp_path, 2), full_disk(setup_of(one)))
    assert [path for path in tmp_path.rglob("*") if path.is_file()] == []


@pytest.mark.parametrize(
    ("error", "words"),
    [
        (OSError(errno.EDQUOT, "Disk quota exceeded"), "disk of .* is full"),
        (
            PermissionError(errno.EACCES, "Permission denied", "/x"),
            "cannot be written to .*: .*Permission denied: '/x'",
        ),
    ],
)
def test_other_disk_errors_are_one_sentence(error: OSError, words: str, tmp_path: Path) -> None:
    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        raise error

    with pytest.raises(RunError, match=words):
        make_episode(job(tmp_path, 0), record)


def test_an_error_of_ours_is_not_hidden(tmp_path: Path) -> None:
    @one_by_one
    def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
        (folder / "x").touch()
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        make_episode(job(tmp_path, 0), record)
    assert list((tmp_path / ".partial" / "all.x").iterdir()) == []


def test_an_episode_that_is_there_meanwhile_stays(tmp_path: Path) -> None:
    theirs = episode_dir(tmp_path, "push", 0)
    make_episode(one := job(tmp_path, 0), quick(setup_of(one)))
    before = theirs.stat().st_ino

    def late() -> Record:
        @one_by_one
        def record(spec: EpisodeSpec, folder: Path, on_frames: OnFrames) -> EpisodeRecord:
            (folder / "trajectory.parquet").touch()
            return episode(spec)

        return record

    make_episode(job(tmp_path, 0), late())
    assert theirs.stat().st_ino == before
    assert list((tmp_path / ".partial" / "all.x").iterdir()) == []
