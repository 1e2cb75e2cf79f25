"""Who may write to a data folder at the same time as whom."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import threading
from contextlib import ExitStack
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hpvqa.collect.lock import locked, settings_locked
from hpvqa.collect.shard import Shard
from hpvqa.errors import RunError, UsageError

FIRST, SECOND = Shard(1, 2), Shard(2, 2)


def held(data: Path, *shards: Shard | None) -> ExitStack:
    stack = ExitStack()
    for shard in shards:
        stack.enter_context(locked(data, shard))
    return stack


@pytest.mark.parametrize(
    ("holder", "other"), [(None, None), (None, FIRST), (FIRST, None), (FIRST, FIRST), (Shard(1, 3), Shard(1, 3))]
)
def test_excluded_runs_are_told_by_whom(holder: Shard | None, other: Shard | None, tmp_path: Path) -> None:
    with held(tmp_path, holder), pytest.raises(RunError) as caught, locked(tmp_path, other):
        pytest.fail("both hold the lock")
    me = f"process {os.getpid()} on {socket.gethostname()}"
    assert str(caught.value) == (
        f"Another run is writing to {tmp_path} ({me}); wait until it ends, or use another --out"
    )


def test_shards_run_side_by_side(tmp_path: Path) -> None:
    with held(tmp_path, FIRST, SECOND), pytest.raises(RunError), locked(tmp_path, None):
        pytest.fail("a whole run beside shards")


def test_the_lock_is_free_afterwards(tmp_path: Path) -> None:
    for shard in (None, FIRST, SECOND, None):
        with locked(tmp_path, shard):
            pass


def test_an_earlier_holder_is_not_blamed(tmp_path: Path) -> None:
    (tmp_path / ".lock").write_text("process 1 on elsewhere")
    with held(tmp_path, FIRST), pytest.raises(RunError) as caught, locked(tmp_path, None):
        pytest.fail("a whole run beside a shard")
    assert f"process {os.getpid()}" in str(caught.value)


def test_a_killed_holder_lets_go(tmp_path: Path) -> None:
    script = (
        "import sys, time, pathlib\n"
        "from hpvqa.collect.lock import locked\n"
        "with locked(pathlib.Path(sys.argv[1]), None):\n"
        "    print('held', flush=True)\n"
        "    time.sleep(60)"
    )
    holder = subprocess.Popen([sys.executable, "-c", script, str(tmp_path)], stdout=subprocess.PIPE)
    assert holder.stdout is not None
    assert holder.stdout.readline() == b"held\n"
    with pytest.raises(RunError, match=f"process {holder.pid} on"), locked(tmp_path, None):
        pytest.fail("both hold the lock")
    holder.send_signal(signal.SIGKILL)
    holder.wait()
    holder.stdout.close()
    with locked(tmp_path, None):
        pass


def test_settings_are_held_by_one_at_a_time(tmp_path: Path) -> None:
    inside = threading.Event()

    def other() -> None:
        with settings_locked(tmp_path):
            inside.set()

    thread = threading.Thread(target=other)
    with settings_locked(tmp_path):
        thread.start()
        assert not inside.wait(0.2)
    thread.join(5)
    assert inside.is_set()


@given(st.integers(1, 50), st.integers(0, 10_000))
def test_every_episode_belongs_to_exactly_one_shard(count: int, index: int) -> None:
    shards = [Shard.parse(f"{number}/{count}") for number in range(1, count + 1)]
    assert sum(index in shard.indices(10_001) for shard in shards) == 1


@pytest.mark.parametrize("text", ["0/2", "3/2", "1", "1/0", "-1/2", "1/2/3", "a/b", "1 / 2", "", "1/9999999"])
def test_what_is_not_a_shard_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="A shard looks like 1/4"):
        Shard.parse(text)
