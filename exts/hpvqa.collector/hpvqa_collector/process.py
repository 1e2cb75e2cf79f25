"""A child process that outlives its parent if need be, and that can be found again."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path


class ChildProcess:
    """A process with a session, and so a group, of its own.

    Args:
        pid: Its number, which is also its group's.
        started: When it was started, in the kernel's clock ticks: tells it from a later process of the same number.
    """

    def __init__(self, pid: int, started: int) -> None:
        self.pid = pid
        self.started = started
        self.exit_code: int | None = None
        """How it ended; None while it runs, or if that cannot be known since it is no child of this process."""
        self._popen: subprocess.Popen[bytes] | None = None

    @classmethod
    def start(cls, command: Sequence[str], environ: Mapping[str, str], folder: Path, log: Path) -> ChildProcess:
        """Start a command whose output goes to a file.

        Raises:
            OSError: It cannot be started.
        """
        with log.open("wb") as file:
            popen = subprocess.Popen(
                command,
                cwd=folder,
                env=dict(environ),
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        child = cls(popen.pid, _started(popen.pid) or 0)
        child._popen = popen
        return child

    def alive(self) -> bool:
        """Whether it runs; if it is over, `exit_code` says how it ended, if that can be known."""
        if self._popen is not None:
            self.exit_code = self._popen.poll()
            return self.exit_code is None
        with suppress(ChildProcessError):
            # After a reload of the extension it still is a child of this process, and must be waited for.
            pid, status = os.waitpid(self.pid, os.WNOHANG)
            if pid == self.pid:
                self.exit_code = os.waitstatus_to_exitcode(status)
        return self.exit_code is None and self.started == _started(self.pid)

    def pause(self) -> None:
        """Hold it and its children where they are."""
        self._signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it and its children go on."""
        self._signal(signal.SIGCONT)

    def paused(self) -> bool:
        """Whether it is held."""
        words = _words(self.pid)
        return words is not None and words[0] == "T"

    def terminate(self) -> None:
        """Ask it and its children to end."""
        self._signal(signal.SIGTERM)

    def kill(self) -> None:
        """End it and its children."""
        self._signal(signal.SIGKILL)

    def wait(self, seconds: float) -> bool:
        """Wait for its end; returns whether it came."""
        end = time.monotonic() + seconds
        while self.alive():
            if time.monotonic() > end:
                return False
            time.sleep(0.02)
        return True

    def _signal(self, number: int) -> None:
        if self.alive():
            with suppress(ProcessLookupError):
                os.killpg(self.pid, number)


def _started(pid: int) -> int | None:
    """When a process was started [clock ticks since boot]; None if there is none, or only its remains."""
    words = _words(pid)
    return None if words is None or words[0] in {"Z", "X"} else int(words[19])


def _words(pid: int) -> list[str] | None:
    """What the kernel says of a process, from its state on; None if there is none."""
    try:
        # proc(5): the name, in brackets, may hold anything; the state follows, and the start time is 20 words later.
        return Path(f"/proc/{pid}/stat").read_text(encoding="utf-8", errors="replace").rpartition(")")[2].split()
    except OSError:
        return None
