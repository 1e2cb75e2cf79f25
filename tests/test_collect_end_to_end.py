"""`hpvqa collect` with the embedded simulator: the same bytes whatever the workers, and nothing lost to a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import pytest

from hpvqa.record.episode import EpisodeRecord, find_episodes, read_episode
from tests.patience import PATIENCE, wait_for
from tests.shared import EPISODES, FILMED, SEED, collect, collecting

pytest.importorskip("mujoco")
pytestmark = pytest.mark.simulation

SEEDED = ("--seed", str(SEED))
TASKS, EACH = (("push",), 1) if EPISODES <= 4 else (("push", "drop"), 2)
"""Tasks, and episodes of each, that one worker makes: a push in `make test`, two of both tasks in `make test-all`."""


def contents(data: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(data)): path.read_bytes()
        for folder in find_episodes(data)
        for path in sorted(folder.iterdir())
    }


def part(whole: dict[str, bytes], *episodes: str) -> dict[str, bytes]:
    """The files of some episodes, such as ``push/0``."""
    folders = [f"{task}/000/episode-{int(number):06}/" for task, number in (name.split("/") for name in episodes)]
    return {name: data for name, data in whole.items() if name.startswith(tuple(folders))}


def records(data: Path) -> list[EpisodeRecord]:
    return [read_episode(folder) for folder in find_episodes(data)]


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("one") / "data"
    return collect(out, *TASKS, "--episodes", str(EACH), "--no-video", "--workers", "1", *SEEDED)


def test_episodes_are_whole_and_good(one_worker: Path) -> None:
    found = records(one_worker)
    each = [(task, number) for task in TASKS for number in range(EACH)]
    assert [(record.spec.task, record.spec.index) for record in found] == each
    for record in found:
        assert record.outcome.ok, record.outcome.reason
        assert record.checksum == record.digest()
        assert list(record.files) == ["trajectory.parquet"]


def test_two_workers_make_the_same_bytes(one_worker: Path, moved: Path) -> None:
    # However many other episodes they make.
    each = [f"{task}/{number}" for task in TASKS for number in range(EACH)]
    assert part(contents(moved), *each) == contents(one_worker)


@pytest.mark.long
def test_an_episode_alone_has_the_same_bytes(moved: Path, tmp_path: Path) -> None:
    # Share 2 of 2 holds episode 1 of each task and nothing before it.
    out = collect(tmp_path / "alone", "push", "drop", "--episodes", "2", "2", "--no-video", "--shard", "2/2", *SEEDED)
    alone, whole = contents(out), contents(moved)
    assert sorted({name.rpartition("/")[0] for name in alone}) == ["drop/000/episode-000001", "push/000/episode-000001"]
    assert alone == {name: whole[name] for name in alone}


@pytest.mark.long
def test_a_killed_run_loses_only_what_was_running(moved: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    args = ("push", "drop", "--episodes", "2", "1", "--no-video", "--workers", "2", *SEEDED)
    process = subprocess.Popen(collecting(out, *args), stderr=subprocess.PIPE, start_new_session=True)
    wait_for(lambda: list(find_episodes(out)))
    process.send_signal(signal.SIGKILL)
    # The workers share this pipe, so that it closes when the last of them has ended.
    begin = time.monotonic()
    process.communicate(timeout=PATIENCE)
    assert time.monotonic() - begin < 5
    there = contents(out)
    assert there
    whole = part(contents(moved), "push/0", "push/1", "drop/0")
    assert there == {name: whole[name] for name in there}
    assert contents(collect(out, *args)) == whole
    assert list((out / ".partial").iterdir()) == []


@pytest.mark.long
def test_an_interrupted_run_goes_on_where_it_stopped(moved: Path, tmp_path: Path) -> None:
    out = tmp_path / "interrupted"
    args = ("push", "drop", "--episodes", "2", "1", "--no-video", "--workers", "1", *SEEDED)
    process = subprocess.Popen(collecting(out, *args), stderr=subprocess.PIPE, text=True, start_new_session=True)
    wait_for(lambda: list(find_episodes(out)))
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=PATIENCE)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert len(records(out)) < 3
    assert contents(collect(out, *args)) == part(contents(moved), "push/0", "push/1", "drop/0")


@pytest.mark.long
def test_clips_have_the_same_bytes_too(filmed: Path, tmp_path: Path) -> None:
    whole = part(contents(filmed), "push/0", "push/1")
    assert sum(name.endswith(".mp4") for name in whole) == 14
    # Of the two workers that made those, one began with episode 1.
    assert contents(collect(tmp_path / "one", "push", *FILMED, "--episodes", "2", "--workers", "1")) == whole
