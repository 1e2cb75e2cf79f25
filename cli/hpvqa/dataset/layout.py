"""Writing a data set: a Hugging Face video folder that appears whole, by one rename, or not at all."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from hpvqa.dataset.card import CARD_FILE, card
from hpvqa.dataset.croissant import CROISSANT_FILE, croissant
from hpvqa.dataset.manifest import MANIFEST_FILE, METADATA_FILE, Manifest, is_dataset
from hpvqa.dataset.rows import AnyRow
from hpvqa.dataset.splits import SPLITS, Split
from hpvqa.errors import RunError, UsageError
from hpvqa.files import (
    FileRecord,
    LockedError,
    check_target,
    file_record,
    link_or_copy,
    locked,
    read_bytes,
    sync,
    write_json,
    write_text,
)
from hpvqa.progress.reporter import Reporter


class DifferentError(UsageError):
    """There is another data set where one is to be written."""


_PARTS = {*SPLITS, CARD_FILE, CROISSANT_FILE, MANIFEST_FILE}


@dataclass(frozen=True)
class Source:
    """A file that goes into a data set as it is.

    Attributes:
        path: Where it is.
        record: The size and checksum that it should have; None where they are not known.
    """

    path: Path
    record: FileRecord | None = None


@dataclass(frozen=True)
class Part:
    """One episode of a data set.

    Attributes:
        split: The split that it belongs to.
        folder: Its folder, relative to that of the split.
        rows: Its rows.
        files: What the folder holds, by name.
    """

    split: Split
    folder: str
    rows: tuple[AnyRow, ...]
    files: Mapping[str, Source]


@contextmanager
def published(out: Path, force: bool) -> Iterator[Path]:
    """Give a new folder to write a data set into, and put it in the place of ``out`` when the block ends well.

    Where ``out`` is a link, the folder that it leads to is replaced, and nothing beside the link is touched.

    Raises:
        UsageError: ``out`` cannot be replaced, or holds something else.
        DifferentError: It holds a different data set, and ``force`` is not given.
        RunError: Another process builds there.
    """
    check_target(out, folder=True)
    out = out.resolve()
    _check_replaceable(out)
    out.parent.mkdir(parents=True, exist_ok=True)
    with _alone(out.with_name(out.name + ".lock"), out):
        yield from _replaced(out, force)


def _replaced(out: Path, force: bool) -> Iterator[Path]:
    partial, old = (out.with_name(out.name + ending) for ending in (".partial", ".old"))
    for folder in (partial, old, out):
        _check_only_ours(folder)
    _restore(old, out)
    _clear(partial)
    _clear(old)
    partial.mkdir()
    try:
        yield partial
        if is_dataset(out) and not force and not _same(partial, out):
            raise DifferentError(
                f"{out} holds a data set that differs from this one; replace it with --force, or choose another --out"
            )
        sync(partial)
        if is_dataset(out):
            out.rename(old)
        partial.rename(out)
        sync(out.parent)
    finally:
        _restore(old, out)
        _clear(partial)
        _clear(old)


@contextmanager
def _alone(lock: Path, out: Path) -> Iterator[None]:
    """Keep others from building the same data set; the lock file is there only meanwhile."""
    while True:
        try:
            with locked(lock) as file:
                # Whoever held it may have removed the file after it was opened here: then it locks nothing.
                if not _is_at(file, lock):
                    continue
                try:
                    yield
                finally:
                    lock.unlink(missing_ok=True)
                return
        except LockedError:
            raise RunError(f"Another process builds {out} right now; wait until it ends") from None


def _is_at(file: IO[bytes], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(file.fileno()), path.stat())
    except FileNotFoundError:
        return False


def _restore(old: Path, out: Path) -> None:
    """Undo the first of two renames where the second one did not come to pass."""
    if old.exists() and not out.exists():
        old.rename(out)


def _check_replaceable(out: Path) -> None:
    if Path.cwd().is_relative_to(out):
        raise UsageError(f"{out} is the folder you are in, which a build would replace; choose another --out")
    if out.is_mount():
        raise UsageError(f"A disk is mounted at {out}, so it cannot be replaced; choose a folder on that disk")
    if out.exists() and any(out.iterdir()) and not is_dataset(out):
        raise UsageError(f"{out} exists and is not a data set of ours; choose another --out")


def _check_only_ours(folder: Path) -> None:
    """Make sure that a folder may be removed: it is one, and holds nothing but the parts of a data set."""
    if folder.is_symlink() or (folder.exists() and not folder.is_dir()):
        raise UsageError(f"{folder} is in the way, and is no folder; move it away, or choose another --out")
    names = {path.name.removesuffix(".partial") for path in folder.iterdir()} if folder.exists() else set()
    strangers = names - _PARTS
    if strangers:
        raise UsageError(f"{folder} holds {min(strangers)}, which is not ours; move it away, or choose another --out")


def _clear(folder: Path) -> None:
    if folder.exists():
        shutil.rmtree(folder)


def _same(a: Path, b: Path) -> bool:
    return read_bytes(a / MANIFEST_FILE) == read_bytes(b / MANIFEST_FILE)


def write_dataset(
    root: Path, parts: Sequence[Part], reporter: Reporter, *, source: str, split_seed: int, licence: str
) -> Manifest:
    """Fill an empty folder with a data set.

    Args:
        root: The folder.
        parts: Its episodes.
        reporter: Told of every file.
        source: Name of the folder that the data set is built from.
        split_seed: Seed of the assignment of episodes to splits.
        licence: The Hub's name of its licence.

    Raises:
        RunError: A file is missing or differs from its record, or the disk does not take it.
    """
    files: dict[str, FileRecord] = {}
    reporter.start("build", "files", sum(len(part.files) for part in parts))
    for part in parts:
        folder = root / part.split / part.folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, origin in sorted(part.files.items()):
            files[f"{part.split}/{part.folder}/{name}"] = _place(origin, folder / name)
            reporter.item(name)
    rows = rows_by_split(parts)
    for split, found in rows.items():
        if found:
            name = f"{split}/{METADATA_FILE}"
            files[name] = _write(root / name, "".join(row.model_dump_json(exclude_none=True) + "\n" for row in found))
    files[CARD_FILE] = _write(root / CARD_FILE, card(rows, source, licence))
    write_json(root / CROISSANT_FILE, croissant(rows, files, source, licence))
    files[CROISSANT_FILE] = file_record(root / CROISSANT_FILE)
    manifest = Manifest(source=source, split_seed=split_seed, files=dict(sorted(files.items())))
    write_json(root / MANIFEST_FILE, manifest.model_dump(mode="json"))
    reporter.done()
    return manifest


def rows_by_split(parts: Sequence[Part]) -> dict[Split, list[AnyRow]]:
    """The rows of each split."""
    return {split: [row for part in parts if part.split == split for row in part.rows] for split in SPLITS}


def _place(source: Source, target: Path) -> FileRecord:
    """Link or copy a file, unless it was made where it belongs, and return the checksum of what is there."""
    if source.path == target:
        return file_record(target)
    try:
        # A link to a link would be one: the file itself belongs into the data set.
        link_or_copy(source.path.resolve(strict=True), target)
    except FileNotFoundError:
        raise RunError(f"{source.path} is missing; collect that episode again") from None
    except OSError as error:
        raise RunError(f"{target} cannot be written: {error.strerror}") from None
    record = file_record(target)
    if source.record not in (None, record):
        raise RunError(f"{source.path} is damaged: it differs from its record; collect that episode again")
    return record


def _write(path: Path, text: str) -> FileRecord:
    write_text(path, text)
    return file_record(path)
