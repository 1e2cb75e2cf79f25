"""A server as a process: its start, and its end together with all that it started."""

from __future__ import annotations

import contextlib
import errno
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

from hpvqa.errors import RunError, UsageError
from hpvqa.processes import inherited
from hpvqa.serve import guard

_ENDING = 10.0
"""Time for the guard beyond that of its server [s]."""
_TAIL = 1 << 18
"""How much of the log is read [bytes]."""


class ServerProcess:
    """A server that runs, in a session of its own: Ctrl-C does not reach it, so that we end it in our own time.

    Args:
        command: What to start.
        environment: Its environment.
        log: File for all that it writes; only its owner may read it.

    Raises:
        RunError: The log cannot be written.
    """

    def __init__(self, command: Sequence[str], environment: Mapping[str, str], log: Path) -> None:
        self.log = log
        try:
            log.parent.mkdir(parents=True, exist_ok=True)
            log.unlink(missing_ok=True)
            descriptor = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except OSError as error:
            raise RunError(f"The log {log} cannot be written ({error.strerror}); choose another --log") from None
        # What is meant for our group may come before the guard has left it.
        with os.fdopen(descriptor, "wb") as file, inherited():
            self._guard = subprocess.Popen(
                # Isolated: the folder of the script must not shadow modules.
                [sys.executable, "-I", guard.__file__, *command],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=file,
                env=dict(environment),
                start_new_session=True,
            )
        assert self._guard.stdout is not None  # noqa: S101 - it is a pipe
        line = self._guard.stdout.readline()
        self.pid = int(line) if line.strip() else None
        """The server's process; None if it could not even be started."""

    @property
    def exit_code(self) -> int | None:
        """The exit code of a server that has ended; None while it runs."""
        return self._guard.poll()

    def tail(self) -> str:
        """The end of the log; nothing if somebody has deleted it."""
        try:
            with self.log.open("rb") as file:
                file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
                return file.read(_TAIL).decode("utf-8", errors="replace")
        except OSError:
            return ""

    def stop(self) -> None:
        """End the server and all that it started; may be called twice."""
        pipe = self._guard.stdin
        if pipe is not None and not pipe.closed:
            pipe.close()
        try:
            self._guard.wait(guard.GRACE + _ENDING)
        finally:
            self.kill()

    def kill(self) -> None:
        """End all of it at once."""
        if self._guard.returncode is None or self._guard.returncode < 0:
            # The guard is stuck, or was killed, and so has not ended its server.
            self._guard.kill()
            if self.pid is not None:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(self.pid, signal.SIGKILL)
            self._guard.wait()
        if self._guard.stdout is not None:
            self._guard.stdout.close()


def free_port(host: str, port: int) -> int:
    """A port that can be listened at: the given one, or for 0 one that is free.

    Raises:
        UsageError: It is in use, or the address is not this machine's.
    """
    try:
        family, kind, protocol, _, address = socket.getaddrinfo(
            host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        with socket.socket(family, kind, protocol) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            probe.bind(address)
            return int(probe.getsockname()[1])
    except (socket.gaierror, UnicodeError):
        raise UsageError(
            f"There is no address {host}; --host takes 127.0.0.1, 0.0.0.0 or a name of this machine"
        ) from None
    except PermissionError:
        raise UsageError(f"Port {port} may not be listened at; choose a --port from 1024 on") from None
    except OSError as error:
        if error.errno == errno.EADDRINUSE:
            raise UsageError(
                f"Port {port} is in use, perhaps by another server; stop that one, or choose another --port (0: a free "
                "one)"
            ) from None
        raise UsageError(f"{host} is no address of this machine; --host takes 127.0.0.1 or 0.0.0.0") from None
