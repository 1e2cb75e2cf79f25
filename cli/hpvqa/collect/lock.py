"""Who may write to a data folder: one whole run, or any number of different shards side by side."""

from __future__ import annotations

import os
import socket
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO

from hpvqa.collect.shard import Shard
from hpvqa.errors import RunError
from hpvqa.files import LockedError
from hpvqa.files import locked as locked_file

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
                _sign(stack.enter_context(locked_file(data / LOCK_FILE)))
            else:
                stack.enter_context(locked_file(data / LOCK_FILE, shared=True))
                _sign(stack.enter_context(locked_file(data / f"{LOCK_FILE}.{shard.name}")))
        except LockedError:
            who = holder(data) or "unknown"
            raise RunError(
                f"Another run is writing to {data} ({who}); wait until it ends, or use another --out"
            ) from None
        yield


@contextmanager
def settings_locked(data: Path) -> Iterator[None]:
    """Hold a data folder's settings for the moment it takes to read and write them; waits for others."""
    with locked_file(data / _SETTINGS_LOCK, wait=True):
        yield


def _sign(file: IO[bytes]) -> None:
    file.truncate(0)
    file.write(f"process {os.getpid()} on {socket.gethostname()}".encode())
    file.flush()


def holder(data: Path) -> str | None:
    """The process that holds one of the folder's exclusive locks, in words; None if none does."""
    for path in sorted(data.glob(f"{LOCK_FILE}*")):
        try:
            with locked_file(path, shared=True):
                pass
        except LockedError:
            return path.read_text(encoding="utf-8", errors="replace")
    return None
