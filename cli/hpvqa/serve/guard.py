"""Runs a server, and ends it and all that it started as soon as whoever started this script has gone, however it went.

A script of its own, for it must outlive a parent that is killed, and so has only the standard library: what it runs is
in its arguments, its standard input is a pipe that ends with the parent, and its standard error is the server's log.
"""

from __future__ import annotations

import contextlib
import os
import select
import signal
import subprocess
import sys
import time

GRACE = 20.0
"""Time for a server to end by itself [s]; then it is killed."""
_INTERVAL = 0.2


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

    # Not ignored, which the server would inherit.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, asked)
    server = subprocess.Popen(
        command, stdin=subprocess.DEVNULL, stdout=sys.stderr, stderr=sys.stderr, start_new_session=True
    )
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
    code = server.wait()
    return 128 - code if code < 0 else code


def _ended(pid: int) -> bool:
    return os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None


if __name__ == "__main__":
    sys.exit(run(sys.argv[1:]))
