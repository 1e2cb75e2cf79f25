"""What was measured of filmed episodes: a CSV file with a line for each of them."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from hpvqa.dataset.public import first_of
from hpvqa.dataset.splits import SPLITS, Split
from hpvqa.errors import UsageError, nearest
from hpvqa.files import read_bytes
from hpvqa.tasks import TASKS
from hpvqa.tasks.base import Task

NEEDED = ("episode", "task")
OPTIONAL = ("cameras", "split", "note")
_MOST_VALUE = 5e5


@dataclass(frozen=True)
class Label:
    """A line of the file.

    Attributes:
        line: Its number, from 1.
        episode: Number of the episode in its data set.
        task: What was done in it.
        values: The hidden property of each thing, by its name, in the task's unit.
        cameras: Which cameras count, and what each is called here; empty: all, by their own names.
        split: The split that it is for.
    """

    line: int
    episode: int
    task: Task
    values: Mapping[str, float]
    cameras: Mapping[str, str]
    split: Split


def read_labels(path: Path) -> list[Label]:
    """Read a file of labels.

    Raises:
        UsageError: It cannot be read, or lines of it make no sense; the message names the first and counts all.
    """
    lines = _lines(path)
    found: dict[tuple[str, int], Label] = {}
    bad: list[str] = []
    for number, line in lines:
        try:
            label = _label(number, line)
            other = found.setdefault((label.task.name, label.episode), label)
            if other is not label:
                raise ValueError(f"is about the same episode as line {other.line}")
        except ValueError as error:
            bad.append(f"{path} line {number} {error}")
    if bad:
        raise UsageError(f"{first_of(bad)}; nothing was built")
    if not found:
        raise UsageError(f"{path} labels no episode; nothing was built")
    return list(found.values())


def thing_names() -> list[str]:
    """Names of the things that tasks ask about: columns for their values."""
    return list(dict.fromkeys(thing.name for task in TASKS.values() for thing in task.examples()))


def _lines(path: Path) -> list[tuple[int, dict[str, str]]]:
    """Cells by the names of their columns, with the number of the line; empty lines are left out."""
    try:
        text = read_bytes(path).decode("utf-8-sig")
        reader = csv.reader(io.StringIO(text, newline=""), strict=True)
        rows = [(reader.line_num, [cell.strip() for cell in row]) for row in reader]
    except OSError as error:
        raise UsageError(f"The labels {path} cannot be read: {error.strerror or error}") from None
    except UnicodeDecodeError:
        raise UsageError(f"The labels {path} are not UTF-8; save them as such") from None
    except csv.Error as error:
        raise UsageError(f"The labels {path} are no CSV: {error}") from None
    head = rows[0][1] if rows else []
    _check_columns(path, head)
    for number, row in rows[1:]:
        if any(row) and len(row) != len(head):
            raise UsageError(f"{path} line {number} has {len(row)} cells under {len(head)} columns; nothing was built")
    return [(number, dict(zip(head, row, strict=True))) for number, row in rows[1:] if any(row)]


def _check_columns(path: Path, head: Sequence[str]) -> None:
    known = [*NEEDED, *thing_names(), *OPTIONAL]
    if missing := [name for name in NEEDED if name not in head]:
        raise UsageError(
            f"The labels {path} have no column {missing[0]}; their first line names columns, separated by commas, "
            "such as: episode,task,left,right"
        )
    for name in head:
        if name not in known:
            raise UsageError(f"The labels {path} have a column {name!r}; {nearest(name, known)}")
        if head.count(name) > 1:
            raise UsageError(f"The labels {path} have two columns {name}; leave one out")


def _label(number: int, line: Mapping[str, str]) -> Label:
    """Raises ValueError with the end of a sentence."""
    episode = line["episode"]
    if not re.fullmatch(r"\d{1,9}", episode, re.ASCII):
        raise ValueError(f"has {episode!r} for the number of an episode")
    if line["task"] not in TASKS:
        raise ValueError(f"is about a task {line['task']!r}, and there is none; {nearest(line['task'], TASKS)}")
    task = TASKS[line["task"]]
    split = line.get("split") or "eval"
    if split not in SPLITS:
        raise ValueError(f"is for the split {split!r}; there are {' and '.join(SPLITS)}")
    return Label(
        line=number,
        episode=int(episode),
        task=task,
        values=_values(task, line),
        cameras=_cameras(line.get("cameras", "")),
        split=split,
    )


def _values(task: Task, line: Mapping[str, str]) -> dict[str, float]:
    names = [thing.name for thing in task.examples()]
    if others := [name for name in thing_names() if name not in names and line.get(name)]:
        raise ValueError(f"has a value for {others[0]}, which {task.name} does not have; it has {' and '.join(names)}")
    found = {}
    for name in names:
        cell = line.get(name, "")
        try:
            found[name] = float(cell)
        except ValueError:
            what = repr(cell) if cell else "nothing"
            raise ValueError(f"has {what} under {name}, where {task.quantity()} belongs, as a number") from None
        # What is not a number is not smaller either.
        if not abs(found[name]) <= _MOST_VALUE:
            raise ValueError(f"has {cell} under {name}, which no thing has")
    return found


def _cameras(cell: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in cell.split():
        key, _, name = part.partition("=")
        if key in found:
            raise ValueError(f"names the camera {key} twice")
        found[key] = name or camera_name(key)
    return found


def camera_name(key: str) -> str:
    """What a camera is called after its feature: observation.images.front is front."""
    return key.rpartition(".")[2]
