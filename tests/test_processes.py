import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from hpvqa.collect.process import ChildProcess
from hpvqa.processes import SAFE_PATH, inherited, python
from hpvqa.serve.process import ServerProcess
from tests.patience import PATIENCE, wait_for

PARENT = """
import multiprocessing, time
from hpvqa.processes import exit_with_parent

def work(ready):
    exit_with_parent()
    ready.set()
    time.sleep(60)

if __name__ == "__main__":
    context = multiprocessing.get_context("spawn")
    ready = context.Event()
    child = context.Process(target=work, args=(ready,))
    child.start()
    ready.wait()
    print(child.pid, flush=True)
    time.sleep(60)
"""


def alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


@pytest.mark.slow
def test_a_worker_ends_with_its_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(PARENT)
    parent = subprocess.Popen([sys.executable, script], stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    child = int(parent.stdout.readline())
    assert alive(child)
    parent.kill()
    parent.wait()
    wait_for(lambda: not alive(child))


def test_children_do_not_run_files_of_the_working_folder(tmp_path: Path) -> None:
    (tmp_path / "token.py").write_text("raise SystemExit('mine')")
    own = tmp_path / "own"
    own.mkdir()
    (own / "mine.py").write_text("")
    # An empty entry would be the working folder, by the user's own wish.
    path = os.pathsep.join(filter(None, (str(own), os.environ.get("PYTHONPATH"))))
    environ = {**os.environ, "PYTHONPATH": path}
    script = "import token, mine"
    subprocess.run(python("-c", script), cwd=tmp_path, env=environ, check=True)
    subprocess.run([sys.executable, "-c", script], cwd=tmp_path, env={**environ, **SAFE_PATH}, check=True)


def test_environment_and_signals_are_inherited_and_put_back() -> None:
    name = "HPVQA_TEST_INHERITED"
    show = f"import os, signal; print(os.environ[{name!r}], sorted(signal.pthread_sigmask(signal.SIG_BLOCK, [])))"
    with inherited({name: "yes"}):
        said = subprocess.run([sys.executable, "-c", show], capture_output=True, text=True, check=True).stdout
    assert said.startswith("yes")
    assert "SIGINT" in said
    assert "SIGTERM" in said
    assert name not in os.environ
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, [])


def test_the_environment_comes_back_whichever_of_two_threads_is_the_last(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("PYTHONSAFEPATH", raising=False)
    inside, leave = threading.Event(), threading.Event()

    def start() -> None:
        with inherited():
            inside.set()
            leave.wait(10)

    other = threading.Thread(target=start)
    with inherited():
        other.start()
        inside.wait(0.2)
    leave.set()
    other.join()
    assert "PYTHONSAFEPATH" not in os.environ


POOL = """
import os, time
from pathlib import Path
from hpvqa.processes import Workers, exit_with_parent

def work():
    Path(f"worker-{os.getpid()}").touch()
    time.sleep(60)

if __name__ == "__main__":
    pool = Workers(2, exit_with_parent, ())
    jobs = [pool.submit(work) for _ in range(2)]
    print("jobs wait", flush=True)
    print(*(type(job.exception()).__name__ for job in jobs), flush=True)
    pool.kill()
    print("over", flush=True)
"""


@pytest.mark.parametrize("which", [0, 1])
@pytest.mark.slow
def test_the_death_of_any_worker_is_known_at_once(tmp_path: Path, which: int) -> None:
    with pool_in(tmp_path) as pool:
        assert pool.stdout is not None
        pool.stdout.readline()
        wait_for(lambda: len(list(tmp_path.glob("worker-*"))) >= 2)
        pids = sorted(int(path.name.partition("-")[2]) for path in tmp_path.glob("worker-*"))
        os.kill(pids[which], signal.SIGKILL)
        assert pool.communicate(timeout=PATIENCE)[0] == "BrokenProcessPool BrokenProcessPool\nover\n"
        assert not any(map(alive, pids))


@pytest.mark.slow
def test_no_helper_of_a_pool_runs_files_of_the_working_folder(tmp_path: Path) -> None:
    for name in ("socket", "token", "numpy"):
        (tmp_path / f"{name}.py").write_text("from pathlib import Path; Path('a-stray-file-ran').touch()")
    with pool_in(tmp_path) as pool:
        assert pool.stdout is not None
        assert pool.stdout.readline() == "jobs wait\n"
        wait_for(lambda: len(list(tmp_path.glob("worker-*"))) == 2)
    assert not (tmp_path / "a-stray-file-ran").exists()


@contextmanager
def pool_in(folder: Path) -> Iterator[subprocess.Popen[str]]:
    """A process with two workers whose working folder is this one; it is killed in the end."""
    script = folder / "script" / "pool.py"
    script.parent.mkdir()
    script.write_text(POOL)
    process = subprocess.Popen([sys.executable, script], cwd=folder, stdout=subprocess.PIPE, text=True)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


BLOCKED = "import signal; print(sorted(int(number) for number in signal.pthread_sigmask(signal.SIG_BLOCK, [])))"


@pytest.mark.slow
def test_a_child_in_a_group_of_its_own_is_born_deaf(tmp_path: Path) -> None:
    # Else Ctrl-C, which reaches all of our group, ends a child that has not left it yet.
    log = tmp_path / "log"
    child = ChildProcess(python("-c", BLOCKED), dict(os.environ), log)
    child.finish()
    assert log.read_text() == f"{[int(signal.SIGINT), int(signal.SIGTERM)]}\n"
    server = ServerProcess(python("-c", BLOCKED), dict(os.environ), log)
    while server.exit_code is None:
        time.sleep(0.02)
    server.stop()
    # The guard, which is deaf at first, does not make deaf what it runs.
    assert log.read_text() == "[]\n"


HEARS = """
import os, signal, time
from hpvqa.processes import hear_again, inherited

with inherited():
    os.kill(os.getpid(), signal.SIGTERM)
    if os.fork() == 0:
        os.kill(os.getpid(), signal.SIGTERM)
        hear_again(signal.SIGTERM)
        print("still there", flush=True)
        os.kill(os.getpid(), signal.SIGTERM)
        time.sleep(60)
    _, status = os.wait()
    print(os.WTERMSIG(status), flush=True)
"""


def test_a_child_hears_again_but_not_what_came_before() -> None:
    done = subprocess.run(python("-c", HEARS), capture_output=True, text=True, timeout=PATIENCE)
    assert done.stdout.split("\n") == ["still there", str(int(signal.SIGTERM)), ""]
    # What was held back meanwhile is heard by the parent.
    assert done.returncode == -signal.SIGTERM
