"""Runs a server, and ends it and all that it started as soon as whoever started this script has gone, however it went.

A script of its own, for it must outlive a parent that is killed, and so has only the standard library: what it runs is
in its arguments, its standard input is a pipe that ends with the parent, and its standard error is the server's log.
A second process stands by for the case that this one is killed, too.
"""

from __future__ import annotations

import contextlib
import ctypes
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from typing import NoReturn

GRACE = 20.0
"""Time for a server to end by itself [s]; then it is killed."""
_INTERVAL = 0.2
_PARENT_DEATH_SIGNAL = 1
"""``PR_SET_PDEATHSIG``"""


def run(command: list[str]) -> int:
    """Run a server until it ends or standard input does.

    Args:
        command: The server.

    Returns:
        Its exit code; as in shells, 128 and the number of the signal that ended it.
    """
    stop = False

    def asked(number: int, frame: object) -> None:
        nonlocal stop
        stop = True

    asking = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
    # What was held back until now was meant for the group that this process was born in, and that it has left.
    for number in asking:
        signal.signal(number, signal.SIG_IGN)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, asking)
    # Not ignored from now on, which the server would inherit.
    for number in asking:
        signal.signal(number, asked)
    stand_in = StandIn()
    server = subprocess.Popen(
        command,
        stdin=subprocess.DEVNULL,
        stdout=sys.stderr,
        stderr=sys.stderr,
        start_new_session=True,
        preexec_fn=_die_with(os.getpid()),
    )
    stand_in.watch(server.pid)
    print(server.pid, flush=True)
    while not stop and not _ended(server.pid):
        ready, _, _ = select.select([sys.stdin.fileno()], [], [], _INTERVAL)
        stop = stop or (bool(ready) and not os.read(sys.stdin.fileno(), 1))
    # Until all is over the server is not reaped, which asking Popen anything would do: nobody else has its number then.
    os.kill(server.pid, signal.SIGTERM)
    waited = 0.0
    while not _ended(server.pid) and waited < GRACE:
        waited += _INTERVAL
        time.sleep(_INTERVAL)
    # What it started is in its group.
    with contextlib.suppress(ProcessLookupError):
        os.killpg(server.pid, signal.SIGKILL)
    # Before the server is reaped, and its number may be somebody else's.
    stand_in.dismiss()
    code = server.wait()
    return 128 - code if code < 0 else code


class StandIn:
    """A child of this process that ends a server, and all that it started, if this process is killed."""

    def __init__(self) -> None:
        reading, self._pipe = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            os.close(self._pipe)
            _stand_by(reading)
        os.close(reading)

    def watch(self, pid: int) -> None:
        """Say which server it is, the first of its group."""
        os.write(self._pipe, b"%d\n" % pid)

    def dismiss(self) -> None:
        """Let it go: the server has ended."""
        with contextlib.suppress(BrokenPipeError):
            os.write(self._pipe, b"done\n")
        os.close(self._pipe)
        os.waitpid(self._pid, 0)


def _stand_by(pipe: int) -> NoReturn:
    """Wait until the guard, which has the other end of a pipe, has gone; then kill, unless it said that it is done."""
    try:
        # A session of its own, so that nothing that is meant for the guard's group ends it.
        os.setsid()
        nothing = os.open(os.devnull, os.O_RDWR)
        for descriptor in (0, 1, 2):
            os.dup2(nothing, descriptor)
        heard = b""
        while data := os.read(pipe, 100):
            heard += data
        lines = heard.split()
        if len(lines) == 1:
            os.killpg(int(lines[0]), signal.SIGKILL)
    finally:
        os._exit(0)


def _die_with(parent: int) -> Callable[[], None] | None:
    """What a child of a process does first so that it is killed when its parent ends; None where that cannot be had."""
    if sys.platform != "linux":
        return None
    # Found here, for a child that has just been forked should do little.
    prctl = ctypes.CDLL(None).prctl

    def arrange() -> None:
        prctl(_PARENT_DEATH_SIGNAL, signal.SIGKILL)
        if os.getppid() != parent:
            os._exit(1)

    return arrange


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
