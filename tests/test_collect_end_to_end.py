"""`hpvqa collect` with the embedded simulator: the same bytes whatever the workers, and nothing lost to a crash."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from hpvqa.record.episode import EpisodeRecord, find_episodes, read_episode

pytest.importorskip("mujoco")
pytestmark = pytest.mark.simulation


def arguments(out: Path, *args: str) -> list[str]:
    return [sys.executable, "-m", "hpvqa", "collect", "--out", str(out), *args]


def collect(out: Path, *args: str) -> Path:
    done = subprocess.run(arguments(out, *args), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return out


def contents(data: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(data)): path.read_bytes()
        for folder in find_episodes(data)
        for path in sorted(folder.iterdir())
    }


def records(data: Path) -> list[EpisodeRecord]:
    return [read_episode(folder) for folder in find_episodes(data)]


@pytest.fixture(scope="module")
def one_worker(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("one") / "data"
    return collect(out, "push", "drop", "--episodes", "2", "2", "--no-video", "--workers", "1")


def test_episodes_are_whole_and_good(one_worker: Path) -> None:
    found = records(one_worker)
    assert [(record.spec.task, record.spec.index) for record in found] == [
        ("push", 0),
        ("push", 1),
        ("drop", 0),
        ("drop", 1),
    ]
    for record in found:
        assert record.outcome.ok, record.outcome.reason
        assert record.checksum == record.digest()
        assert list(record.files) == ["trajectory.parquet"]


def test_two_workers_make_the_same_bytes(one_worker: Path, tmp_path: Path) -> None:
    out = collect(tmp_path / "two", "push", "drop", "--episodes", "2", "2", "--no-video", "--workers", "2")
    assert contents(out) == contents(one_worker)


def test_an_episode_alone_has_the_same_bytes(one_worker: Path, tmp_path: Path) -> None:
    # Share 2 of 2 holds episode 1 of each task and nothing before it.
    out = collect(tmp_path / "alone", "push", "drop", "--episodes", "2", "2", "--no-video", "--shard", "2/2")
    alone, whole = contents(out), contents(one_worker)
    assert sorted({name.rpartition("/")[0] for name in alone}) == ["drop/000/episode-000001", "push/000/episode-000001"]
    assert alone == {name: whole[name] for name in alone}


def test_a_killed_run_loses_only_what_was_running(one_worker: Path, tmp_path: Path) -> None:
    out = tmp_path / "killed"
    args = ("push", "drop", "--episodes", "2", "2", "--no-video", "--workers", "2")
    process = subprocess.Popen(arguments(out, *args), stderr=subprocess.PIPE, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(find_episodes(out)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    process.send_signal(signal.SIGKILL)
    # The workers share this pipe, so that it closes when the last of them has ended.
    begin = time.monotonic()
    process.communicate(timeout=60)
    assert time.monotonic() - begin < 5
    there = contents(out)
    assert there
    whole = contents(one_worker)
    assert there == {name: whole[name] for name in there}
    assert contents(collect(out, *args)) == whole
    assert list((out / ".partial").iterdir()) == []


def test_an_interrupted_run_goes_on_where_it_stopped(one_worker: Path, tmp_path: Path) -> None:
    out = tmp_path / "interrupted"
    args = ("push", "drop", "--episodes", "2", "2", "--no-video", "--workers", "1")
    process = subprocess.Popen(arguments(out, *args), stderr=subprocess.PIPE, text=True, start_new_session=True)
    deadline = time.monotonic() + 60
    while not list(find_episodes(out)):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    _, stderr = process.communicate(timeout=60)
    assert process.returncode == 130, stderr
    assert "Traceback" not in stderr
    assert len(records(out)) < 4
    assert contents(collect(out, *args)) == contents(one_worker)


def test_clips_have_the_same_bytes_too(tmp_path: Path) -> None:
    args = ("push", "--episodes", "2", "--resolution", "64x64", "--fps", "2")
    done = subprocess.run(
        arguments(tmp_path / "one", *args, "--workers", "1"), capture_output=True, text=True, timeout=300
    )
    if done.returncode == 2 and "OpenGL" in done.stderr:
        pytest.skip("there is no OpenGL here")
    assert done.returncode == 0, done.stderr
    one = contents(tmp_path / "one")
    assert sum(name.endswith(".mp4") for name in one) == 14
    # Either worker makes one episode, so that the second one is also made alone.
    assert contents(collect(tmp_path / "two", *args, "--workers", "2")) == one
