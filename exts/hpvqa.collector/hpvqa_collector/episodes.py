"""The newest episodes of a data folder."""

from __future__ import annotations

import heapq
import json
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

_RECORD = "episode.json"


@dataclass(frozen=True)
class Episode:
    """A finished episode.

    Attributes:
        folder: Where it lies.
        task: Its task.
        index: Its number within the task.
        ok: Whether it shows what its label says.
        reason: Why it does not, or why an earlier attempt did not; None if there is nothing to say.
        cameras: Names of its clips; none if it was recorded without.
        finished: When it was finished [ns since 1970].
    """

    folder: Path
    task: str
    index: int
    ok: bool
    reason: str | None
    cameras: tuple[str, ...]
    finished: int

    @property
    def name(self) -> str:
        """What to call it."""
        return f"{self.task} {self.index}"


def newest_episodes(data: Path, count: int) -> list[Episode]:
    """The newest episodes of a data folder, the newest one first; damaged ones are passed over."""
    found = heapq.nlargest(count, _records(data))
    episodes = []
    for finished, record in found:
        # A RecursionError: brackets in thousands of brackets.
        with suppress(OSError, ValueError, KeyError, TypeError, RecursionError):
            episodes.append(_read(record, finished))
    return episodes


def _records(data: Path) -> Iterator[tuple[int, Path]]:
    for record in data.glob(f"*/[0-9]*/episode-*/{_RECORD}"):
        with suppress(OSError):
            yield record.stat().st_mtime_ns, record


def _read(record: Path, finished: int) -> Episode:
    data = json.loads(record.read_text(encoding="utf-8"))
    failed = data["failed_attempts"]
    reason = data["outcome"]["reason"]
    if reason is None and failed:
        reason = f"attempt {len(failed) + 1}, for before: {failed[-1]['reason']}"
    return Episode(
        folder=record.parent,
        task=data["spec"]["task"],
        index=data["spec"]["index"],
        ok=data["outcome"]["ok"],
        reason=reason,
        cameras=tuple(camera["camera"]["name"] for camera in data["cameras"]) if data["video"] else (),
        finished=finished,
    )
