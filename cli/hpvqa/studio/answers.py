"""What runs answered, by episode."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hpvqa.dataset.rows import with_unit
from hpvqa.errors import HpvqaError
from hpvqa.evaluate.folder import PREDICTIONS_FILE
from hpvqa.evaluate.prediction import Estimate, Prediction, Reply
from hpvqa.report.reading import read_runs
from hpvqa.report.source import Run
from hpvqa.studio.entry import Entry

Place = tuple[str, int | str, int]
"""Task, what tells its collection from others (name of the data folder, or seed), and number of an episode."""


@dataclass(frozen=True)
class Told:
    """What one run says.

    Attributes:
        run: The run.
        main: The answers that it is judged by, of each episode, by camera.
        parts: All answers about each episode, with the condition that they were given under.
    """

    run: Run
    main: dict[Place, dict[str, Reply]]
    parts: dict[Place, list[tuple[str, Reply]]]

    @classmethod
    def of(cls, run: Run) -> Told:
        """Sort a run's answers."""
        main: dict[Place, dict[str, Reply]] = {}
        parts: dict[Place, list[tuple[str, Reply]]] = {}
        of_parts: list[tuple[str, Sequence[Reply]]] = [*run.conditions.items(), *run.values.items()]
        for condition, rows in of_parts:
            for row in rows:
                for place in _places(row.task, row.source, row.seed, row.episode):
                    parts.setdefault(place, []).append((condition, row))
        for row in run.main:
            for place in _places(row.task, row.source, row.seed, row.episode):
                main.setdefault(place, {})[row.camera] = row
        return cls(run, main, parts)

    def cameras(self, entry: Entry) -> list[str]:
        """Whose views of an episode it was asked about; a name of its own stands for all of them at once."""
        return list(_at(self.main, entry) or {})

    def verdicts(self, entry: Entry, cameras: Sequence[str]) -> str:
        """For each camera 1 if it was answered correctly, 0 if it was not, - if it was not asked about."""
        rows = _at(self.main, entry) or {}
        return "".join(str(int(rows[camera].is_correct)) if camera in rows else "-" for camera in cameras)


def _places(task: str, source: str, seed: int | None, number: int | None) -> list[Place]:
    """What an episode may be found by: a data folder may have been renamed, and old runs know no seeds."""
    if number is None:
        return []
    return [(task, source, number), *([] if seed is None else [(task, seed, number)])]


def _at(found: dict[Place, Any], entry: Entry) -> Any:
    places = _places(entry.task, entry.source, entry.seed, entry.number)
    return next((found[place] for place in places if place in found), None)


class Answers:
    """The runs that are shown; one that is at work is read again when it has more to say.

    Args:
        paths: Their folders, or prediction files in the public original's form.
        datasets: Where their data sets may be.

    Raises:
        UsageError: A path is no run, or holds no answers.
        RunError: A run is damaged.
    """

    def __init__(self, paths: Sequence[Path], datasets: Sequence[Path]) -> None:
        self._paths, self._datasets = tuple(dict.fromkeys(paths)), tuple(datasets)
        self._lock = threading.Lock()
        self._state = self._look()
        self._told = self._read()

    def now(self) -> list[Told]:
        """What the runs say now."""
        with self._lock:
            state = self._look()
            if state != self._state:
                try:
                    self._told = self._read()
                except (HpvqaError, OSError):
                    # What was known is better than nothing; the next look may find it whole again.
                    return self._told
                self._state = state
            return self._told

    def _read(self) -> list[Told]:
        return [Told.of(run) for run in read_runs(self._paths, self._datasets)] if self._paths else []

    def _look(self) -> list[object]:
        found: list[object] = []
        for path in self._paths:
            try:
                state = (path / PREDICTIONS_FILE if path.is_dir() else path).stat()
                found.append((state.st_mtime_ns, state.st_size))
            except OSError:
                found.append(None)
        return found


def about(told: Iterable[Told], entry: Entry) -> list[dict[str, Any]]:
    """All that was answered about an episode, as plain data."""
    return [
        {"run": number, "condition": condition, **_plain(row)}
        for number, one in enumerate(told)
        for condition, row in _at(one.parts, entry) or []
    ]


def _plain(row: Reply) -> dict[str, Any]:
    found: dict[str, Any] = {
        "camera": row.camera,
        "correct": row.is_correct,
        "error": row.error,
        "text": row.text[:500],
    }
    if isinstance(row, Prediction):
        return {**found, "said": row.prediction, "pLeft": row.p_left, "asked": row.question}
    if isinstance(row, Estimate):
        said = None if row.prediction is None else with_unit(row.prediction, row.unit)
        return {**found, "said": said, "pLeft": None, "asked": row.question}
    return found
