"""The folder through which parent and child talk. Files get through any wrapper script, and survive a flood of logs."""

from __future__ import annotations

import fcntl
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from pydantic import BaseModel

from hpvqa.collect.batches.messages import REPLY, Batch, Frames, Made, Ready, Setup, Trouble

POLL = 0.05
"""How often a file is looked for [s]."""


class Exchange:
    """Both ends of the conversation.

    Args:
        folder: The shared folder.
    """

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._setup = folder / "setup.json"
        self._replies = folder / "replies.jsonl"
        self._stop = folder / "stop"
        self._alive = folder / "parent-lives"
        self._batch = 0
        self._read = 0

    @contextmanager
    def hosted(self, setup: Setup) -> Iterator[None]:
        """The parent's end: lay the folder out, and hold a lock that tells the child that the parent lives."""
        self._folder.mkdir(parents=True)
        self._replies.touch()
        with self._alive.open("w") as file:
            try:
                fcntl.flock(file, fcntl.LOCK_EX)
            except OSError:
                # This file system has no locks; the child looks for this process instead.
                file.write(str(os.getpid()))
                file.flush()
            _write(self._setup, setup)
            yield

    def send(self, batch: Batch) -> None:
        """Parent: hand over the next batch."""
        _write(self._folder / f"batch-{self._batch:06d}.json", batch)
        self._batch += 1

    def replies(self) -> list[Ready | Frames | Made | Trouble]:
        """Parent: what the child has said since the last call."""
        with self._replies.open("rb") as file:
            file.seek(self._read)
            text = file.read()
        # A last line without its end is still being written.
        whole = text[: text.rfind(b"\n") + 1]
        self._read += len(whole)
        return [REPLY.validate_json(line) for line in whole.splitlines()]

    def stop(self) -> None:
        """Parent: let the child end after its batch."""
        self._stop.touch()

    def setup(self) -> Setup:
        """Child: what to do."""
        return Setup.model_validate_json(self._setup.read_bytes())

    def next_batch(self) -> Batch | None:
        """Child: wait for the next batch; None when there will be none, or the parent has died."""
        path = self._folder / f"batch-{self._batch:06d}.json"
        while not path.is_file():
            if self._stop.exists() or not self.parent_lives():
                return None
            time.sleep(POLL)
        self._batch += 1
        return Batch.model_validate_json(path.read_bytes())

    def reply(self, message: Ready | Frames | Made | Trouble) -> None:
        """Child: say something."""
        with self._replies.open("a", encoding="utf-8") as file:
            file.write(message.model_dump_json() + "\n")

    def parent_lives(self) -> bool:
        """Child: whether the parent still holds its lock, which the kernel drops when it ends.

        Where there are no locks, its process counts; another one may get the same number later.
        """
        try:
            with self._alive.open("r") as file:
                if number := file.read():
                    os.kill(int(number), 0)
                    return True
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        except (FileNotFoundError, ProcessLookupError):
            pass
        return False


def _write(path: Path, message: BaseModel) -> None:
    draft = path.with_suffix(".draft")
    draft.write_text(message.model_dump_json(), encoding="utf-8")
    draft.replace(path)
