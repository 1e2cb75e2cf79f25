"""The data folder around its episodes: whether it is ours, and where unfinished episodes lie."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from hpvqa.collect.lock import LOCK_FILE
from hpvqa.collect.settings import COLLECTION_FILE
from hpvqa.collect.shard import Shard
from hpvqa.errors import UsageError
from hpvqa.files import check_target
from hpvqa.places import near

PARTIAL_DIR = ".partial"


def check_ours(data: Path) -> None:
    """Make sure that a folder may be collected into: it is new, empty, or holds a collection.

    Raises:
        UsageError: It is none of these. Nothing was touched.
    """
    check_target(data, folder=True)
    if not data.exists() or (data / COLLECTION_FILE).is_file():
        return
    # What a run that was killed in its first moments may have left.
    ours = (LOCK_FILE, PARTIAL_DIR, COLLECTION_FILE)
    foreign = sorted(path.name for path in data.iterdir() if not path.name.startswith(ours))
    if foreign:
        found = next((path for path in near(data, "data folder") if (path / COLLECTION_FILE).is_file()), None)
        raise UsageError(
            f"{data} holds files but no collection ({foreign[0]}, for one); choose an empty or a new folder as --out"
            + (f", or {found} to add to what is there" if found else "")
        )


@contextmanager
def partial_dir(data: Path, shard: Shard | None) -> Iterator[Path]:
    """A new folder for this run's unfinished episodes, removed in the end; clears what killed runs left.

    A shard clears only leftovers of the same shard, for others may be at work; a whole run clears all.
    """
    parent = data / PARTIAL_DIR
    parent.mkdir(exist_ok=True)
    prefix = f"{'all' if shard is None else shard.name}."
    for leftover in sorted(parent.glob("*" if shard is None else f"{prefix}*")):
        _clear(leftover)
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=parent))
    try:
        yield folder
    finally:
        _clear(folder)


def _clear(folder: Path) -> None:
    # A worker of a killed run lives for up to a second longer. Renaming first takes its unfinished episode out of its
    # reach as a whole, so that it cannot publish one that is half removed.
    doomed = folder.with_name(f"{folder.name}.cleared")
    with suppress(FileNotFoundError):
        folder.rename(doomed)
    shutil.rmtree(doomed, ignore_errors=True)
