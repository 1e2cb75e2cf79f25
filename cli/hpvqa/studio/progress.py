"""How far a command is, from the file that it was told to write its progress to."""

from __future__ import annotations

import os
import threading
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from hpvqa.errors import printable
from hpvqa.files import open_regular
from hpvqa.plain import parse_json
from hpvqa.progress.events import Done, Event, Frames, Item, Note, Start, Warn
from hpvqa.progress.terminal import Tracker

_EVENTS: dict[object, type[Event]] = {
    "start": Start,
    "item": Item,
    "frames": Frames,
    "note": Note,
    "warning": Warn,
    "done": Done,
}
_PART = 4 << 20
"""Most that is read at a time [bytes]."""
_LONGEST = 1 << 20
"""Longest line that may be an event [bytes]; of a longer one no more is kept."""


class Progress:
    """What a progress file says so far; only what was added is read again, and all of it where the file begins anew.

    Args:
        path: The file, which need not be there yet.
    """

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock = threading.Lock()
        self._begin_anew(None)

    def now(self) -> dict[str, Any]:
        """How far it is, as plain data: ``text`` is that in words, ``status`` how it ended, or None while it runs."""
        with self._lock:
            trouble = self._read()
            text = self._tracker.text() if self._tracker.activity else ""
            return {
                "name": printable(self._path.name),
                "activity": printable(self._tracker.activity),
                "done": self._tracker.done,
                "total": self._tracker.total,
                # Of what is over, only how far it came.
                "text": printable(text if self._status is None else text.partition(",")[0]),
                "status": self._status,
                "said": None if self._said is None else printable(self._said),
                "trouble": trouble,
            }

    def _begin_anew(self, file: object) -> None:
        self._file, self._offset, self._rest = file, 0, b""
        self._tracker = Tracker()
        self._status: str | None = None
        self._said: str | None = None

    def _read(self) -> str | None:
        """Read on; return why that does not work."""
        try:
            with open_regular(self._path) as file:
                found = os.fstat(file.fileno())
                if (found.st_dev, found.st_ino) != self._file or found.st_size < self._offset:
                    self._begin_anew((found.st_dev, found.st_ino))
                file.seek(self._offset)
                while part := file.read(_PART):
                    self._offset += len(part)
                    *lines, rest = (self._rest + part).split(b"\n")
                    self._rest = rest[: _LONGEST + 1]
                    for line in lines:
                        self._take(line)
        except FileNotFoundError:
            self._begin_anew(None)
            return "there is no such file yet"
        except OSError as error:
            return f"it cannot be read: {error.strerror or error}"
        return None

    def _take(self, line: bytes) -> None:
        """Take an event; what is unknown, or no event at all, is left out, as the format asks."""
        try:
            given = parse_json(line) if len(line) <= _LONGEST else {}
            kind = _EVENTS[given["event"]]
            event = kind.model_validate({name: given[name] for name in kind.model_fields if name in given})
        except (ValueError, ValidationError, TypeError, LookupError):
            return
        self._tracker.consume(event)
        if isinstance(event, Start):
            self._status = self._said = None
        elif isinstance(event, Note | Warn):
            self._said = event.message
        elif isinstance(event, Done):
            self._status, self._said = event.status, event.message or self._said
