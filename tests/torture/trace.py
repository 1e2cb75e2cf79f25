"""A command under strace, which counts its system calls and makes the Nth of them fail or kill the process."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal, NamedTuple

CALLS = (
    "write,pwrite64,writev,rename,renameat,renameat2,unlink,unlinkat,mkdir,mkdirat,rmdir,fsync,fdatasync,link,linkat,"
    "symlink,ftruncate,flock,chmod,fchmod,copy_file_range,sendfile"
)
"""The system calls that change what is on the disk."""
Fault = Literal["KILL", "ENOSPC", "EIO"]
FAULTS: tuple[Fault, ...] = ("KILL", "ENOSPC", "EIO")

LIMIT = 600
"""What takes longer hangs [s]; no command takes more than some ten seconds on an idle machine."""


_TRACEBACK = re.compile(r"Traceback \(most recent call last\):((?:\n[ \t]+.*)*)")
_MULTIPROCESSING = re.compile(r"/multiprocessing/\w+\.py$|^<string>$")


_CALL = re.compile(r"^(\d+) +(\w+)\(", re.MULTILINE)


class Point(NamedTuple):
    """Where a command is struck: at the how many-th call of a name in a thread."""

    call: str
    number: int


@dataclass(frozen=True)
class Program:
    """What is run, with ``python -m``.

    Attributes:
        module: The module, and arguments that come before those of the command.
        env: Variables beside those that are set already.
    """

    module: tuple[str, ...] = ("hpvqa",)
    env: Mapping[str, str] = field(default_factory=dict)


HPVQA = Program()


@dataclass(frozen=True)
class Ended:
    """How a command ended.

    Attributes:
        code: Exit code, negative for a signal; None if it was still running at the end of its time.
        output: What it said on both streams.
    """

    code: int | None
    output: str

    @property
    def traceback(self) -> bool:
        """Whether there was an error that nobody worded.

        Those in which no code but multiprocessing's own ran do not count: its process that counts locks shows them
        where its calls fail, and so does a worker that finds no lock when it starts. Nobody can word them.
        """
        found = [re.findall(r'File "([^"]+)"', block) for block in _TRACEBACK.findall(self.output)]
        return any(not files or any(not _MULTIPROCESSING.search(file) for file in files) for files in found)


def has_strace() -> bool:
    """Whether system calls can be traced here."""
    if shutil.which("strace") is None:
        return False
    return subprocess.run(["strace", "-qq", "-e", "trace=none", "true"], capture_output=True).returncode == 0


def hpvqa(args: Sequence[str], folder: Path, program: Program = HPVQA, *, strace: Sequence[str] = ()) -> Ended:
    """Run a command in a folder, and end it with all its children when its time is over."""
    process = subprocess.Popen(
        [*strace, sys.executable, "-m", *program.module, *args],
        cwd=folder,
        env={**os.environ, "PYTHONDONTWRITEBYTECODE": "1", "OMP_NUM_THREADS": "1", **program.env},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        start_new_session=True,
    )
    try:
        output, _ = process.communicate(timeout=LIMIT)
        code: int | None = process.returncode
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        output, _ = process.communicate()
        code = None
    return Ended(code, output.decode(errors="replace"))


def do(folder: Path, *args: str) -> None:
    """Run a command that must do its work."""
    ended = hpvqa(args, folder)
    if ended.code != 0:
        raise RuntimeError(f"hpvqa {' '.join(args)} fails: {ended.output[-2000:]}")


def count_calls(args: Sequence[str], folder: Path, program: Program, log: Path) -> tuple[Ended, list[Point]]:
    """Run a command undisturbed; also all points at which it can be struck.

    strace counts the calls of each name and thread by themselves, so that a point may be in several threads.
    """
    ended = hpvqa(args, folder, program, strace=_strace("-o", str(log)))
    counts = Counter(_CALL.findall(log.read_text(errors="replace")))
    most: dict[str, int] = {}
    for (_, name), count in sorted(counts.items()):
        most[name] = max(count, most.get(name, 0))
    return ended, [Point(name, number) for name, count in most.items() for number in range(1, count + 1)]


def disturbed(
    args: Sequence[str], folder: Path, program: Program, fault: Fault, point: Point, log: Path
) -> tuple[Ended, bool]:
    """Run a command whose Nth call of a name in a thread fails, or kills the process; also whether that came about."""
    what = "signal=KILL" if fault == "KILL" else f"error={fault}"
    inject = ("-o", str(log), "-e", f"inject={point.call}:{what}:when={point.number}")
    # With a filter of seccomp, which saves time, strace 6.1 sends no signals at all.
    strace = ["strace", "-f", "-qq", "-e", f"trace={CALLS}"] if fault == "KILL" else _strace()
    ended = hpvqa(args, folder, program, strace=[*strace, *inject])
    struck = ("killed by SIGKILL" if fault == "KILL" else "(INJECTED)") in log.read_text(errors="replace")
    return Ended(ended.code, re.sub(r"^strace: .*$", "", ended.output, flags=re.MULTILINE)), struck


def _strace(*options: str) -> list[str]:
    return ["strace", "-f", "-qq", "--seccomp-bpf", "-e", f"trace={CALLS}", "-e", "signal=none", *options]
