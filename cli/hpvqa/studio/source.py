"""Where episodes come from: a data folder, a data set, one episode, or the data set of a run."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Protocol

from hpvqa.dataset.load import Dataset, open_dataset
from hpvqa.dataset.rows import Row
from hpvqa.dataset.splits import SPLITS
from hpvqa.errors import RunError, UsageError
from hpvqa.files import inside, is_file
from hpvqa.places import kind_of, not_a
from hpvqa.progress.reporter import Reporter
from hpvqa.record.episode import RECORD_FILE, find_episodes
from hpvqa.report.reading import read_runs
from hpvqa.studio.entry import Entry, built_entry, recorded_entry


class Source(Protocol):
    """A folder of episodes."""

    root: Path
    """Every path of an entry is relative to this folder."""
    title: str
    kind: str

    def entries(self, reporter: Reporter) -> list[Entry]:
        """The episodes that are there now, in order.

        Args:
            reporter: Told of every one that is read.

        Raises:
            RunError: A data set is damaged.
        """


def open_source(path: Path) -> Source:
    """Find out what a path is.

    Raises:
        UsageError: There are no episodes there; the message names what was perhaps meant.
        RunError: A data set or a run is damaged.
    """
    kind = kind_of(path)
    if kind == "data folder":
        return DataFolder(path)
    if kind == "episode":
        return OneEpisode(path)
    if kind == "data set":
        return Built(open_dataset(path))
    if kind == "run":
        (run,) = read_runs([path])
        if run.dataset is None:
            raise UsageError(
                f"The data set of {path} is not where it was; say where: hpvqa studio DATASET --run {path}"
            )
        return Built(run.dataset)
    raise UsageError(not_a("data folder", path, "data set", "episode", "run"))


class DataFolder:
    """Episodes as they were collected; those that come while it is shown are found, too.

    Args:
        root: The data folder.
    """

    kind = "data folder"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.title = root.resolve().name
        self._known: dict[str, tuple[object, Entry]] = {}
        self._lock = threading.Lock()

    def entries(self, reporter: Reporter) -> list[Entry]:
        """Every episode, by task and number; what was read and has not changed is not read again."""
        folders = list(find_episodes(self.root))
        with self._lock:
            known: dict[str, tuple[object, Entry]] = {}
            reporter.start("read", "episodes", len(folders))
            for folder in folders:
                key = folder.relative_to(self.root).as_posix()
                state = _state(folder / RECORD_FILE)
                before = self._known.get(key)
                fresh = before is None or before[0] != state
                known[key] = (state, recorded_entry(folder, key, self.title)) if fresh or before is None else before
                reporter.item(key, ok=known[key][1].state != "damaged")
            reporter.done()
            self._known = known
            return [entry for _, entry in known.values()]


def _state(path: Path) -> object:
    """What changes when a file does."""
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


class OneEpisode:
    """A single episode.

    Args:
        folder: The episode.
    """

    kind = "episode"

    def __init__(self, folder: Path) -> None:
        folder = folder.resolve()
        self.root, self._folder, self.title = folder.parent, folder, folder.name

    def entries(self, reporter: Reporter) -> list[Entry]:
        """The episode."""
        # Task and thousand are between an episode and its data folder.
        return [recorded_entry(self._folder, self._folder.name, self._folder.parents[2].name)]


class Built:
    """A data set.

    Args:
        dataset: The data set.
    """

    kind = "data set"

    def __init__(self, dataset: Dataset) -> None:
        self.root, self.title = dataset.root, dataset.root.resolve().name
        self._dataset = dataset
        self._entries: list[Entry] | None = None

    def entries(self, reporter: Reporter) -> list[Entry]:
        """Every episode, split by split; a data set does not change."""
        if self._entries is None:
            found: dict[tuple[str, str], list[Row]] = {}
            for split in SPLITS:
                for row in self._dataset.comparisons(split):
                    found.setdefault((split, row.file_name.rpartition("/")[0]), []).append(row)
            self._entries = [self._entry(split, folder, rows) for (split, folder), rows in found.items()]
        return self._entries

    def _entry(self, split: str, folder: str, rows: list[Row]) -> Entry:
        key = f"{split}/{folder}"
        try:
            recorded = is_file(inside(self.root, f"{key}/{RECORD_FILE}"))
            for row in rows:
                inside(self.root, f"{split}/{row.file_name}")
        except ValueError as error:
            raise RunError(f"The data set {self.root} is damaged: {error}") from None
        return built_entry(rows, split, key, recorded)
