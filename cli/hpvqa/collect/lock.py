"""Who may write to a data folder: one whole run, or any number of different shards side by side."""

from __future__ import annotations

import fcntl
import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from hpvqa.collect.shard import Shard
from hpvqa.errors import RunError

LOCK_FILE = ".lock"
_SETTINGS_LOCK = ".lock.settings"


@contextmanager
def locked(data: Path, shard: Shard | None) -> Iterator[None]:
    """Hold a data folder while a run writes to it.

    The kernel drops the locks when the process ends, however it ends; workers do not inherit them.

    Raises:
        RunError: Another run holds it; the message says which, if that is known.
    """
    with ExitStack() as stack:
        try:
            if shard is None:
                stack.enter_context(_flock(data / LOCK_FILE, fcntl.LOCK_EX | fcntl.LOCK_NB))
            else:
                stack.enter_context(_flock(data / LOCK_FILE, fcntl.LOCK_SH | fcntl.LOCK_NB))
                stack.enter_context(_flock(data / f"{LOCK_FILE}.{shard.name}", fcntl.LOCK_EX | fcntl.LOCK_NB))
        except BlockingIOError:
            who = holder(data) or "unknown"
            raise RunError(
                f"Another run is writing to {data} ({who}); wait until it ends, or use another --out"
            ) from None
        yield


@contextmanager
def settings_locked(data: Path) -> Iterator[None]:
    """Hold a data folder's settings for the moment it takes to read and write them; waits for others."""
    with _flock(data / _SETTINGS_LOCK, fcntl.LOCK_EX):
        yield


@contextmanager
def _flock(path: Path, operation: int) -> Iterator[None]:
    with path.open("a+", encoding="utf-8") as file:
        try:
            fcntl.flock(file, operation)
        except BlockingIOError:
            raise
        except OSError as error:
            raise RunError(f"{path} cannot be locked ({error.strerror}); use a folder on another disk") from None
        if operation & fcntl.LOCK_EX:
            file.truncate(0)
            file.write(f"process {os.getpid()} on {socket.gethostname()}")
            file.flush()
        yield


def holder(data: Path) -> str | None:
    """The process that holds one of the folder's exclusive locks, in words; None if none does."""
    for path in sorted(data.glob(f"{LOCK_FILE}*")):
        with path.open("r", encoding="utf-8") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return file.read()
    return None
