"""Checking every file of a data set or a data folder against what was written down when it was made."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from hpvqa.dataset.manifest import MANIFEST_FILE, is_dataset, read_manifest
from hpvqa.errors import HpvqaError, RunError, UsageError
from hpvqa.files import FileRecord, file_record, inside
from hpvqa.places import not_a
from hpvqa.progress.reporter import Reporter
from hpvqa.record.episode import RECORD_FILE, read_episode, recorded_tasks
from hpvqa.tasks import TASKS, not_installed

Fault = Literal["missing", "truncated", "altered", "unlisted", "unreadable", "outside"]


@dataclass(frozen=True)
class Problem:
    """Something that is not as it was made.

    Attributes:
        file: Path of the file, relative to the folder that was checked.
        fault: What is wrong with it.
        detail: The same in words.
    """

    file: str
    fault: Fault
    detail: str


@dataclass(frozen=True)
class Verification:
    """Result of a check.

    Attributes:
        kind: What the folder is.
        files: How many files should be there.
        problems: All that is wrong.
    """

    kind: Literal["data set", "data folder"]
    files: int
    problems: tuple[Problem, ...]


def verify(root: Path, reporter: Reporter) -> Verification:
    """Check a data set or a data folder.

    Args:
        root: The folder.
        reporter: Told of every file.

    Raises:
        UsageError: It is neither.
        RunError: The manifest itself is damaged.
    """
    if is_dataset(root):
        manifest, _ = read_manifest(root)
        listed = manifest.files
        problems: list[Problem] = []
        unlisted = set(_files(root, root)) - {MANIFEST_FILE} - listed.keys()
        kind: Literal["data set", "data folder"] = "data set"
    elif any(_episode_folders(root)):
        listed, unlisted, problems = _read_records(root)
        kind = "data folder"
    else:
        raise UsageError(not_a("data set", root, "data folder"))
    problems += [Problem(name, "unlisted", "no record of it; remove it") for name in unlisted]
    problems += _check(root, listed, reporter)
    return Verification(kind, len(listed), tuple(sorted(problems, key=lambda problem: problem.file)))


def _check(root: Path, listed: Mapping[str, FileRecord], reporter: Reporter) -> list[Problem]:
    problems = []
    reporter.start("verify", "files", len(listed))
    for name, record in listed.items():
        problem = problem_of(root, name, record)
        if problem is not None:
            problems.append(problem)
        reporter.item(name, ok=problem is None)
    reporter.done()
    return problems


def problem_of(root: Path, name: str, record: FileRecord) -> Problem | None:
    """What is wrong with a file; None if it is as its record says.

    Args:
        root: The folder.
        name: Path of the file, relative to it.
        record: Its size and checksum.
    """
    try:
        path = inside(root, name)
        if path.is_file() and path.stat().st_size > record.bytes:
            # However much it is.
            return Problem(name, "altered", f"{path.stat().st_size} bytes instead of {record.bytes}")
        found = file_record(path)
    except ValueError as error:
        return Problem(name, "outside", str(error))
    except FileNotFoundError:
        return Problem(name, "missing", "it should be there")
    except OSError as error:
        return Problem(name, "unreadable", str(error.strerror))
    if found.bytes < record.bytes:
        return Problem(name, "truncated", f"{found.bytes} of {record.bytes} bytes")
    if found != record:
        return Problem(name, "altered", "its SHA-256 differs")
    return None


def _read_records(data: Path) -> tuple[dict[str, FileRecord], set[str], list[Problem]]:
    """The files of all episodes of a data folder, those that no record lists, and records that are damaged."""
    listed: dict[str, FileRecord] = {}
    unlisted = {name for task in recorded_tasks(data) for name in _files(data / task, data)}
    problems = []
    for folder in _episode_folders(data):
        if folder.parents[1].name not in TASKS:
            raise UsageError(f"{data} cannot be verified. {not_installed(folder.parents[1].name)}")
        name = (folder / RECORD_FILE).relative_to(data).as_posix()
        unlisted.discard(name)
        try:
            record = read_episode(folder)
        except HpvqaError as error:
            problems.append(Problem(name, _fault_of(error, folder / RECORD_FILE), str(error)))
            # Without its record nothing is known of the other files.
            unlisted -= set(_files(folder, data))
            continue
        if record.checksum != record.digest():
            problems.append(Problem(name, "altered", "its checksum differs"))
        listed |= {f"{folder.relative_to(data).as_posix()}/{file}": known for file, known in record.files.items()}
    return listed, unlisted - listed.keys(), problems


def _fault_of(error: HpvqaError, path: Path) -> Fault:
    if isinstance(error, RunError):
        return "unreadable"
    return "altered" if os.path.lexists(path) else "missing"


def _episode_folders(data: Path) -> Iterator[Path]:
    for task in recorded_tasks(data):
        yield from sorted(data.glob(f"{task}/[0-9]*/episode-[0-9]*[0-9]"))


def _files(folder: Path, root: Path) -> Iterator[str]:
    for path in folder.rglob("*"):
        # A link to a folder is no folder that was made with the rest.
        if path.is_symlink() or not path.is_dir():
            yield path.relative_to(root).as_posix()
