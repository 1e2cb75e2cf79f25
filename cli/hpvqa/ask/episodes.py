"""Which episode is asked about: a folder, the newest one of a data folder, or every one that lands there."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from pathlib import Path

from hpvqa.dataset.manifest import is_dataset
from hpvqa.errors import UsageError
from hpvqa.places import not_a
from hpvqa.record.episode import RECORD_FILE, EpisodeRecord, read_episode
from hpvqa.tasks import TASKS


def open_episode(folder: Path) -> EpisodeRecord:
    """The record of an episode that can be asked about.

    Raises:
        UsageError: It is none, it is still being recorded, or its outcome contradicts its label.
    """
    if not (folder / RECORD_FILE).is_file():
        raise UsageError(_missing(folder))
    record = read_episode(folder)
    if not record.outcome.ok:
        raise UsageError(
            f"The episode {folder} failed ({record.outcome.reason}), so it has no correct answer; choose another one"
        )
    return record


def _missing(folder: Path) -> str:
    """Why a folder is no finished episode, and what to do."""
    from hpvqa.collect.folder import PARTIAL_DIR

    if PARTIAL_DIR in folder.parts or _is_recorded(folder):
        return f"The episode {folder.name} is still being recorded; it can be asked about once its folder is complete"
    if folder.is_file():
        return f"{folder} is a file; name the episode's folder, {folder.parent}, and one clip of it with --camera"
    if is_dataset(folder):
        return (
            f"{folder} is a data set; answer it with hpvqa eval --dataset {folder}, or name an episode of a data folder"
        )
    if _holds_data(folder):
        return f"{folder} is a data folder; ask about its newest episode with --latest {folder}"
    return not_a("episode", folder)


def _is_recorded(folder: Path) -> bool:
    """Whether somebody works on this episode right now."""
    from hpvqa.collect.folder import PARTIAL_DIR

    if len(folder.parts) < 4:
        return False
    task = folder.parent.parent
    return any((task.parent / PARTIAL_DIR).glob(f"*/{task.name}-{folder.name}"))


def latest_episode(data: Path) -> Path:
    """The newest episode of a data folder that did not fail.

    An episode says nothing about when it was made, for the same seed makes the same bytes at any time. What counts is
    when its record was written, which is the last thing that happens before it appears; of equally new ones, the last
    by task and number.

    Raises:
        UsageError: There is none yet.
    """
    _check_data(data)
    found = sorted(
        ((folder / RECORD_FILE).stat().st_mtime_ns, number, folder)
        for number, folder in enumerate(_folders(data))
        if (folder / RECORD_FILE).is_file()
    )
    for _, _, folder in reversed(found):
        if read_episode(folder).outcome.ok:
            return folder
    if found:
        raise UsageError(f"All {len(found)} episodes in {data} failed, so there is none to ask about; collect others")
    from hpvqa.collect.folder import PARTIAL_DIR

    if any((data / PARTIAL_DIR).glob("*/*")):
        raise UsageError(f"The first episode of {data} is still being recorded; ask again in a moment, or use --watch")
    raise UsageError(f"There is no episode in {data} yet; record one with hpvqa collect push --out {data}")


def new_episodes(data: Path, stopped: Callable[[], bool], pause: Callable[[], None]) -> Iterator[Path]:
    """Every episode that lands in a data folder from now on, in the order of task and number among those of a moment.

    An episode appears whole by one rename, so whatever is seen can be read. The folder itself may appear later, too.

    Args:
        data: The data folder.
        stopped: Whether to end.
        pause: Waits a moment; called whenever there is nothing new.

    Raises:
        UsageError: The folder holds something else than episodes.
    """
    if data.exists():
        _check_data(data)
    # What is there is looked at now, not when the first one is asked for: none that lands meanwhile is missed.
    return _following(data, set(_folders(data)), stopped, pause)


def _following(data: Path, seen: set[Path], stopped: Callable[[], bool], pause: Callable[[], None]) -> Iterator[Path]:
    while not stopped():
        new = [folder for folder in _folders(data) if folder not in seen and (folder / RECORD_FILE).is_file()]
        for folder in new:
            if stopped():
                return
            seen.add(folder)
            yield folder
        if not new:
            pause()


def _check_data(data: Path) -> None:
    if (data / RECORD_FILE).is_file():
        raise UsageError(f"{data} is an episode, not a data folder; leave the option out to ask about it")
    if is_dataset(data):
        raise UsageError(f"{data} is a data set, not a data folder; answer it with hpvqa eval --dataset {data}")
    if not data.is_dir() or (not _holds_data(data) and any(data.iterdir())):
        raise UsageError(not_a("data folder", data))


def _holds_data(folder: Path) -> bool:
    """Whether episodes are collected here."""
    from hpvqa.collect.folder import PARTIAL_DIR
    from hpvqa.collect.settings import COLLECTION_FILE

    return (folder / COLLECTION_FILE).is_file() or any((folder / name).is_dir() for name in (*TASKS, PARTIAL_DIR))


def _folders(data: Path) -> list[Path]:
    """All episodes, by task and number; quick also for many thousands, since it is called again and again."""
    found = []
    for task in TASKS:
        for shard in _names(data / task):
            found += [data / task / shard / name for name in _names(data / task / shard) if name.startswith("episode-")]
    return found


def _names(folder: Path) -> list[str]:
    try:
        with os.scandir(folder) as entries:
            return sorted(entry.name for entry in entries)
    except (FileNotFoundError, NotADirectoryError):
        # Such as one that was deleted meanwhile.
        return []
