"""Real worker processes: interrupts, sudden death, errors, surroundings."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from hpvqa.collect import mujoco
from hpvqa.collect.executor import Job
from hpvqa.errors import RunError
from hpvqa.record.episode import find_episodes, read_episode
from tests.collect_fakes import child_command, collection, command
from tests.needs import long_but
from tests.patience import PATIENCE, wait_for

pytestmark = pytest.mark.slow


def descendants(pid: int) -> list[int]:
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = stat.read_text().rpartition(")")[2].split()
        except OSError:
            continue
        if int(fields[1]) == pid:
            child = int(stat.parent.name)
            found += [child, *descendants(child)]
    return found


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Run:
    """A run of the command in a process group of its own, as a terminal starts it."""

    def __init__(self, fake: str, data: Path, episodes: int, *args: str) -> None:
        self.data = data
        self.args = ["collect", "push", "--episodes", str(episodes), "--no-video", "--out", str(data), *args]
        self.process = subprocess.Popen(
            command(fake, *self.args), stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True, start_new_session=True
        )

    def wait_until_episodes_run(self, count: int = 2) -> None:
        wait_for(lambda: len(list(self.data.glob(".partial/*/*/0.part"))) >= count)

    def interrupt(self, number: signal.Signals = signal.SIGINT) -> None:
        os.killpg(self.process.pid, number)

    def finish(self) -> tuple[int, str, str]:
        stdout, stderr = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in stderr
        return self.process.returncode, stdout, stderr

    def again(self, fake: str = "quick") -> dict[str, int]:
        done = subprocess.run(command(fake, *self.args, "--json"), capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 0, done.stderr
        task: dict[str, int] = json.loads(done.stdout)["tasks"]["push"]
        assert list((self.data / ".partial").iterdir()) == []
        return task

    def whole_episodes(self) -> int:
        folders = list(find_episodes(self.data))
        assert sorted(folders) == sorted(self.data.glob("push/*/*"))
        for folder in folders:
            record = read_episode(folder)
            assert record.checksum == record.digest()
            assert set(record.files) == {path.name for path in folder.iterdir()} - {"episode.json"}
        return len(folders)


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Run]]:
    runs: list[Run] = []

    def begin(fake: str, episodes: int, *args: str) -> Run:
        runs.append(Run(fake, tmp_path / "data", episodes, *args))
        return runs[-1]

    yield begin
    for run in runs:
        if run.process.poll() is None:
            os.killpg(run.process.pid, signal.SIGKILL)
        run.process.communicate()


@pytest.mark.parametrize("fake", long_but(["slow", "endless"]))
def test_killing_the_parent_alone_ends_all_workers_and_the_next_run_goes_on(
    fake: str, start: Callable[..., Run]
) -> None:
    run = start(fake, 6, "--workers", "2")
    run.wait_until_episodes_run()
    workers = descendants(run.process.pid)
    assert len(workers) >= 2
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
    wait_for(lambda: not any(alive(pid) for pid in workers))
    assert list(run.data.glob(".partial/*/*")) != []
    there = run.whole_episodes()
    assert there < 6
    task = run.again()
    assert (task["already"], task["made"]) == (there, 6 - there)
    assert run.whole_episodes() == 6


@pytest.mark.long
def test_the_next_run_need_not_wait_for_orphans(start: Callable[..., Run]) -> None:
    run = start("slow", 4, "--workers", "2")
    run.wait_until_episodes_run()
    run.process.send_signal(signal.SIGKILL)
    run.process.wait()
    run.again()
    assert run.whole_episodes() == 4


@pytest.mark.parametrize("which", long_but([0, 1]))
def test_the_death_of_any_worker_ends_the_run(which: int, start: Callable[..., Run]) -> None:
    run = start("endless", 4, "--workers", "2")
    run.wait_until_episodes_run()
    workers = [
        pid
        for pid in descendants(run.process.pid)
        if b"collect_fakes.child" in Path(f"/proc/{pid}/cmdline").read_bytes()
    ]
    os.kill(sorted(workers)[which], signal.SIGKILL)
    code, _, stderr = run.finish()
    assert code == 1
    assert "A worker ended unexpectedly" in stderr
    assert list((run.data / ".partial").iterdir()) == []


@pytest.mark.parametrize("number", long_but([signal.SIGINT, signal.SIGTERM]))
def test_an_interrupt_lets_running_episodes_finish(number: signal.Signals, start: Callable[..., Run]) -> None:
    run = start("slow", 6, "--workers", "2")
    run.wait_until_episodes_run()
    run.interrupt(number)
    code, stdout, stderr = run.finish()
    assert code == 130
    assert "interrupt again (Ctrl-C) to drop them" in stderr
    assert "run the same command again" in stderr
    assert "│ push │     6 │" in stdout
    there = run.whole_episodes()
    assert 2 <= there <= 4
    assert list((run.data / ".partial").iterdir()) == []
    assert run.again()["already"] == there


@pytest.mark.long
def test_a_second_interrupt_drops_them(start: Callable[..., Run]) -> None:
    run = start("endless", 20, "--workers", "2")
    run.wait_until_episodes_run()
    processes = descendants(run.process.pid)
    run.interrupt()
    time.sleep(0.6)
    assert run.process.poll() is None
    run.interrupt()
    code, _, stderr = run.finish()
    assert code == 130
    assert "run the same command again" in stderr
    # The workers are gone; multiprocessing's own helper ends a moment after its parent.
    wait_for(lambda: not any(alive(pid) for pid in processes))
    assert run.whole_episodes() == 0
    assert list((run.data / ".partial").iterdir()) == []


def test_an_interrupt_while_workers_start_is_clean(start: Callable[..., Run]) -> None:
    run = start("slow", 20, "--workers", "2")
    wait_for(lambda: len(descendants(run.process.pid)) >= 2)
    run.interrupt()
    code, _, stderr = run.finish()
    assert code == 130
    assert "KeyboardInterrupt" not in stderr
    run.whole_episodes()


def test_a_second_run_is_refused_while_the_first_one_works(start: Callable[..., Run]) -> None:
    run = start("slow", 20, "--workers", "1")
    run.wait_until_episodes_run(1)
    for extra in ([], ["--shard", "1/2"]):
        done = subprocess.run(command("quick", *run.args, *extra), capture_output=True, text=True, timeout=PATIENCE)
        assert done.returncode == 1
        assert f"Another run is writing to {run.data} (process {run.process.pid} on " in done.stderr


@pytest.mark.long
def test_shards_work_side_by_side(start: Callable[..., Run]) -> None:
    runs = [start("slow", 4, "--workers", "1", "--shard", f"{number}/2") for number in (1, 2)]
    for run in runs:
        code, _, stderr = run.finish()
        assert code == 0, stderr
        assert "collect: 2/2 episodes" in stderr
    assert runs[0].whole_episodes() == 4


@pytest.mark.parametrize(
    ("fake", "code", "message"),
    [
        ("full_disk", 1, "is full; free some space and run the same command again"),
        pytest.param("no_gl", 2, "Error: There is no OpenGL here; install Mesa", marks=pytest.mark.long),
        pytest.param(
            "suicidal", 1, "A worker ended unexpectedly, most likely because memory ran out", marks=pytest.mark.long
        ),
    ],
)
def test_what_goes_wrong_in_a_worker_is_one_sentence(
    fake: str, code: int, message: str, tmp_path: Path, start: Callable[..., Run]
) -> None:
    events = tmp_path / "events.jsonl"
    run = start(fake, 6, "--workers", "2", "--progress-file", str(events))
    found, stdout, stderr = run.finish()
    assert found == code
    assert message in stderr
    assert stdout == ""
    assert list((run.data / ".partial").iterdir()) == []
    last = json.loads(events.read_text().splitlines()[-1])
    assert (last["event"], last["status"]) == ("done", "failed")
    assert last["message"] in stderr
    there = run.whole_episodes()
    task = run.again()
    assert (task["already"], task["made"]) == (there, 6 - there)


def test_files_of_the_working_folder_are_not_run(tmp_path: Path) -> None:
    for name in ("token", "numpy", "signal", "email", "logging"):
        (tmp_path / f"{name}.py").write_text("raise SystemExit('mine')")
    python, *rest = command(
        "quick", "collect", "push", "--episodes", "2", "--no-video", "--out", str(tmp_path / "data")
    )
    done = subprocess.run([python, "-P", *rest], cwd=tmp_path, capture_output=True, text=True, timeout=PATIENCE)
    assert (done.returncode, "mine" in done.stderr) == (0, False), done.stderr


def test_workers_do_not_oversubscribe_and_the_parent_keeps_its_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mujoco, "COMMAND", child_command("tell_environment"))
    before = dict(os.environ)
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, [])
    pool = mujoco.mujoco_pool(2)
    try:
        jobs = [Job(collection(), "push", index, tmp_path, tmp_path) for index in range(2)]
        for future in [pool.submit(job) for job in jobs]:
            future.result(timeout=PATIENCE)
        assert dict(os.environ) == before
        assert signal.pthread_sigmask(signal.SIG_BLOCK, []) == mask
        pool.close()
    finally:
        pool.kill()
    seen = [path.read_text().split() for path in sorted(tmp_path.glob("push/*/*/seen.txt"))]
    assert [words[:2] for words in seen] == [["0", "1"]] * 2
    assert all(int(words[2]) != os.getpid() for words in seen)


def test_a_worker_that_died_while_it_had_nothing_to_do_ends_the_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mujoco, "COMMAND", child_command("quick"))
    # Tests before this one may have left helpers of multiprocessing behind.
    before = set(descendants(os.getpid()))
    pool = mujoco.mujoco_pool(1)
    try:
        assert pool.submit(Job(collection(), "push", 0, tmp_path, tmp_path)).result(timeout=PATIENCE).outcome.ok
        [worker] = set(descendants(os.getpid())) - before
        os.kill(worker, signal.SIGKILL)
        with pytest.raises(RunError, match="ended unexpectedly, most likely because memory ran out"):
            pool.submit(Job(collection(), "push", 1, tmp_path, tmp_path)).result(timeout=PATIENCE)
    finally:
        pool.kill()
    assert set(descendants(os.getpid())) <= before
