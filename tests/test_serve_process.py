"""A server's life: its start, its end, and that nothing of it is left, however it ends."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.needs import long_but
from tests.patience import PATIENCE, wait_for
from tests.serve_fakes import PIDS, command

pytestmark = pytest.mark.slow

KEY = "sk-very-secret-4711"


def alive(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False


class Served:
    """`hpvqa serve` with the fake server, in a process group of its own, as a terminal starts it."""

    def __init__(self, folder: Path, *args: str, how: str = "", **environment: str) -> None:
        self.log, self._pids = folder / "serve.log", folder / "pids"
        given = {name: value for name, value in os.environ.items() if "API_KEY" not in name}
        self.process = subprocess.Popen(
            command(
                "serve", "--model", "a-model", "--port", "0", "--timeout", "30", "--json", "--log", self.log, *args
            ),
            env={**given, "FAKE": how, PIDS: str(self._pids), **environment},
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            start_new_session=True,
        )

    def wait_until_it_answers(self) -> dict[str, str]:
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        assert line, self.process.communicate()[1]
        found: dict[str, str] = json.loads(line)
        return found

    def wait_until_it_starts(self) -> None:
        wait_for(lambda: self._pids.is_file() and len(self._pids.read_text().split()) == 2)

    def finish(self) -> tuple[int, str]:
        _, stderr = self.process.communicate(timeout=PATIENCE)
        assert "Traceback" not in stderr
        return self.process.returncode, stderr

    def processes(self) -> list[int]:
        """The server and its engine."""
        return [int(word) for word in self._pids.read_text().split()]

    def nothing_is_left(self) -> None:
        wait_for(lambda: not any(alive(pid) for pid in self.processes()))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Callable[..., Served]]:
    started: list[Served] = []

    def start(*args: str, how: str = "", **environment: str) -> Served:
        started.append(Served(tmp_path, *args, how=how, **environment))
        return started[-1]

    yield start
    for served in started:
        if served.process.poll() is None:
            served.process.kill()
        served.process.communicate()


@pytest.mark.parametrize("number", long_but([signal.SIGINT, signal.SIGTERM]))
def test_it_answers_and_stops_cleanly(serve: Callable[..., Served], number: signal.Signals) -> None:
    served = serve()
    told = served.wait_until_it_answers()
    assert told["model"] == "a-model"
    assert told["try"] == f"hpvqa ask --latest data --server {told['url']}"
    assert "key" not in told
    assert told["pid"] == served.processes()[0]
    os.killpg(served.process.pid, number)
    code, stderr = served.finish()
    assert code == 0
    assert "Stopping the server" in stderr
    assert not any(alive(pid) for pid in served.processes())
    assert "Starting to load model" in served.log.read_text()
    assert served.log.stat().st_mode & 0o077 == 0


def test_killing_it_leaves_nothing(serve: Callable[..., Served]) -> None:
    served = serve()
    served.wait_until_it_answers()
    assert all(alive(pid) for pid in served.processes())
    served.process.kill()
    served.nothing_is_left()


def test_killing_its_guard_leaves_nothing_either(serve: Callable[..., Served]) -> None:
    served = serve()
    served.wait_until_it_answers()
    server = served.processes()[0]
    guard = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
    assert guard != served.process.pid
    os.kill(guard, signal.SIGKILL)
    code, stderr = served.finish()
    assert code == 1
    assert "has ended by itself" in stderr
    served.nothing_is_left()


def test_killing_it_and_its_guard_leaves_nothing_either(serve: Callable[..., Served]) -> None:
    served = serve()
    served.wait_until_it_answers()
    server = served.processes()[0]
    guard = int(Path(f"/proc/{server}/stat").read_text().rpartition(")")[2].split()[1])
    # It must not have the time to notice.
    os.kill(guard, signal.SIGSTOP)
    served.process.kill()
    os.kill(guard, signal.SIGKILL)
    served.nothing_is_left()


def test_a_log_that_is_deleted_does_not_end_it(serve: Callable[..., Served]) -> None:
    served = serve()
    served.wait_until_it_answers()
    served.log.unlink()
    os.killpg(served.process.pid, signal.SIGINT)
    assert served.finish()[0] == 0


def test_it_can_be_interrupted_while_it_starts(serve: Callable[..., Served]) -> None:
    served = serve(how="mute")
    served.wait_until_it_starts()
    os.killpg(served.process.pid, signal.SIGINT)
    assert served.finish()[0] == 130
    assert not any(alive(pid) for pid in served.processes())


def test_a_start_that_fails_is_explained(serve: Callable[..., Served]) -> None:
    served = serve(how="refuse")
    code, stderr = served.finish()
    assert code == 1
    last = stderr.splitlines()[-1]
    assert last.startswith("Error: The server did not start: the memory does not suffice; lower --gpu-memory")
    assert str(served.log) in last
    assert not any(alive(pid) for pid in served.processes())


def test_a_start_that_takes_too_long_is_given_up(serve: Callable[..., Served]) -> None:
    served = serve("--timeout", "1", how="mute")
    code, stderr = served.finish()
    assert code == 1
    assert "did not answer within 1 s" in stderr
    assert "--timeout" in stderr
    assert not any(alive(pid) for pid in served.processes())


def test_a_server_that_ends_by_itself_is_noticed(serve: Callable[..., Served]) -> None:
    served = serve(how="short")
    code, stderr = served.finish()
    assert code == 1
    assert "exit code 3" in stderr
    assert not any(alive(pid) for pid in served.processes())


def test_the_key_is_in_no_argument_no_log_and_no_output(serve: Callable[..., Served]) -> None:
    served = serve(HPVQA_API_KEY=KEY)
    told = served.wait_until_it_answers()
    assert "key" not in told
    arguments = Path(f"/proc/{served.processes()[0]}/cmdline").read_text()
    assert "--served-model-name" in arguments
    os.killpg(served.process.pid, signal.SIGINT)
    code, stderr = served.finish()
    assert code == 0
    assert KEY not in arguments + json.dumps(told) + stderr + served.log.read_text()


def test_a_key_is_made_up_and_shown_once_where_others_can_reach_the_server(serve: Callable[..., Served]) -> None:
    served = serve("--host", "0.0.0.0")  # noqa: S104 - on a port that nobody knows, for a second
    told = served.wait_until_it_answers()
    key = told["key"]
    assert len(key) >= 32
    arguments = Path(f"/proc/{served.processes()[0]}/cmdline").read_text()
    assert "hpvqa.serve.middleware.OnlyWithKey" in arguments
    os.killpg(served.process.pid, signal.SIGINT)
    code, stderr = served.finish()
    assert code == 0
    assert key not in arguments + told["try"] + stderr + served.log.read_text()


def test_a_port_in_use_is_told_before_anything_starts(serve: Callable[..., Served]) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        served = serve("--port", str(taken.getsockname()[1]))
        code, stderr = served.finish()
    assert code == 2
    assert "is in use" in stderr
    assert not served.log.exists()


def test_a_server_that_does_not_end_is_killed(tmp_path: Path) -> None:
    script = "import sys; from hpvqa.serve import guard; guard.GRACE = 0.5; sys.exit(guard.run(sys.argv[1:]))"
    server = f"import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); open({str(tmp_path / 'up')!r}, 'w')"
    guard = subprocess.Popen(
        [sys.executable, "-c", script, sys.executable, "-c", f"{server}; time.sleep(600)"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert guard.stdout is not None
    assert guard.stdin is not None
    pid = int(guard.stdout.readline())
    wait_for((tmp_path / "up").exists)
    guard.stdin.close()
    assert guard.wait(20) == 128 + signal.SIGKILL
    assert not alive(pid)
    guard.stdout.close()


def test_a_log_that_cannot_be_written_is_told(serve: Callable[..., Served], tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    served = serve("--log", str(tmp_path / "file" / "serve.log"))
    code, stderr = served.finish()
    assert code == 1
    assert "choose another --log" in stderr
