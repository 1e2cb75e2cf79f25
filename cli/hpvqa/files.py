"""Files: read with limits, because others may have made them; written whole or not at all; locked."""

from __future__ import annotations

import errno
import fcntl
import hashlib
import json
import os
import shutil
import stat
import zlib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import IO, Any

from hpvqa.errors import RunError, UsageError
from hpvqa.plain import Model, parse_json, parse_yaml

MOST = 256 << 20
"""Most bytes of a file that is read into memory as a whole, such as metadata; ours have 50 MB at most."""

_NO_FOLDER_SYNC = {errno.EINVAL, errno.ENOTSUP, errno.ENOSYS, errno.EBADF, errno.EACCES, errno.EISDIR}
_NO_LINKS = {errno.EXDEV, errno.EPERM, errno.EMLINK, errno.ENOTSUP, errno.EACCES, errno.ENOSYS}
_NO_LOCKS = {errno.ENOSYS, errno.ENOTSUP, errno.EOPNOTSUPP, errno.ENOLCK, errno.EINVAL}


class FileRecord(Model):
    """Size and checksum of a file."""

    bytes: int
    sha256: str


class LockedError(RunError):
    """Another process holds a lock."""


# Reading


@contextmanager
def open_regular(path: Path) -> Iterator[IO[bytes]]:
    """Open a regular file for reading.

    Raises:
        OSError: It cannot be opened, or is something else: a pipe would block, and a device may never end.
    """
    # Without O_NONBLOCK, opening a pipe waits for a writer.
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    except ValueError:
        # A NUL, which no name has.
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    mode = os.fstat(descriptor).st_mode
    if not stat.S_ISREG(mode):
        os.close(descriptor)
        if stat.S_ISDIR(mode):
            raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR), str(path))
        raise OSError(errno.EINVAL, "Not a regular file", str(path))
    with os.fdopen(descriptor, "rb") as file:
        try:
            yield file
        except OSError as error:
            # Reading does not say of what.
            error.filename = error.filename or str(path)
            raise


def is_file(path: Path) -> bool:
    """Whether there is a file, for a path from a file: one that is too long for a name is none, and is no error."""
    return os.path.isfile(path)  # noqa: PTH113 - Path.is_file raises in some versions of Python


def read_bytes(path: Path, most: int = MOST) -> bytes:
    """The content of a regular file of limited size.

    Args:
        path: The file.
        most: Most bytes that it may hold.

    Raises:
        OSError: It cannot be read, is no regular file, or is larger.
    """
    with open_regular(path) as file:
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(errno.EFBIG, f"It holds more than {most >> 20} MiB", str(path))
    return data


def read_json(path: Path) -> Any:
    """The data of a JSON file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not JSON that can be used; see `parse_json`.
    """
    return parse_json(read_bytes(path))


def read_yaml(path: Path) -> Any:
    """The data of a YAML file.

    Raises:
        OSError: It cannot be read.
        ValueError: It is not YAML that can be used; see `parse_yaml`.
    """
    return parse_yaml(read_bytes(path))


def read_gzip(path: Path, most: int = MOST) -> bytes:
    """What a file holds that was packed with gzip, in one piece.

    Args:
        path: The file.
        most: Most bytes that it may unpack to.

    Raises:
        OSError: It cannot be read.
        ValueError: It is damaged, or unpacks to more.
    """
    unpacker = zlib.decompressobj(16 + zlib.MAX_WBITS)
    try:
        data = unpacker.decompress(read_bytes(path), most + 1)
    except zlib.error as error:
        raise ValueError(f"it is damaged: {error}") from None
    if len(data) > most:
        raise ValueError(f"it unpacks to more than {most >> 20} MiB")
    if not unpacker.eof or unpacker.unused_data:
        raise ValueError("it was cut short, or has something after its end")
    return data


def file_record(path: Path) -> FileRecord:
    """Size and checksum of a regular file.

    Raises:
        OSError: It cannot be read, or is no regular file.
    """
    digest = hashlib.sha256()
    size = 0
    with open_regular(path) as file:
        while chunk := file.read(1 << 20):
            digest.update(chunk)
            size += len(chunk)
    return FileRecord(bytes=size, sha256=digest.hexdigest())


def inside(root: Path, name: str) -> Path:
    """The path that a file which anybody may have written names inside of a folder.

    Links are followed, and must end inside of the folder too; a folder in the cache of the Hugging Face hub, whose
    files are links into the folder ``blobs`` of the same repository, may have those.

    Args:
        root: The folder.
        name: The path, relative to it, with ``/`` between its parts.

    Raises:
        ValueError: It leads out of the folder, or no file can have that name.
    """
    pure = PurePosixPath(name)
    if not name or pure.is_absolute() or ".." in pure.parts or "\0" in name:
        raise ValueError(f"{name!r} leads out of its folder")
    path = root / pure
    try:
        real, top = path.resolve(), root.resolve()
        # From Python 3.13 on, resolve() leaves a loop of links as it is.
        with suppress(FileNotFoundError, NotADirectoryError, PermissionError):
            real.stat()
    except (OSError, RuntimeError, UnicodeEncodeError):
        raise ValueError(f"{name!r} is not a name that a file can have") from None
    allowed = [top]
    if top.parent.name == "snapshots":
        allowed.append(top.parent.parent / "blobs")
    if not any(real.is_relative_to(folder) for folder in allowed):
        raise ValueError(f"{name!r} leads out of its folder")
    return path


# Writing


def check_target(path: Path, folder: bool = False) -> None:
    """Make sure, before anything takes time, that a file or folder can be where it is wanted.

    Args:
        path: Where it should be.
        folder: Whether it is a folder; folders above it are then made later where they are missing.

    Raises:
        UsageError: Something is in the way, or the folder of a file does not exist.
    """
    try:
        nearest = next(parent for parent in path.absolute().parents if os.path.lexists(parent))
        if not nearest.is_dir():
            what = "a link that leads nowhere" if nearest.is_symlink() and not nearest.exists() else "not a folder"
            raise UsageError(f"{nearest} is {what}; choose another place for {path.name}")
        if path.is_symlink() and not path.exists():
            raise UsageError(f"{path} is a link that leads nowhere; remove it, or choose another place")
        if folder:
            if path.exists() and not path.is_dir():
                raise UsageError(f"{path} is a file; choose another place")
            return
        if nearest != path.absolute().parent:
            raise UsageError(
                f"The folder {path.parent} does not exist; make it, or choose another place for {path.name}"
            )
        if path.is_dir():
            raise UsageError(f"{path} is a folder; name a file")
    except (OSError, RuntimeError) as error:
        raise UsageError(f"{path} cannot be used: {getattr(error, 'strerror', None) or error}") from None


def holds_other(folder: Path, marker: str, lock: str) -> bool:
    """Whether a folder that is to be written into is neither new nor empty, nor one that was begun.

    Args:
        folder: The folder.
        marker: The file that says what the folder is; whoever was killed in its first moments leaves a part of it.
        lock: The file that is locked meanwhile.

    Raises:
        UsageError: It cannot be a folder.
    """
    check_target(folder, folder=True)
    names = {path.name for path in folder.iterdir()} if folder.exists() else set()
    return marker not in names and bool(names - {lock, f"{marker}.partial"})


PAGE = b"<!DOCTYPE html>"
"""What our pages begin with."""


def check_output(path: Path, begins: bytes) -> None:
    """Make sure that a file can be written, and that none but an earlier one of its kind is replaced.

    Args:
        path: The file.
        begins: What files of its kind begin with.

    Raises:
        UsageError: Something else is there, or in the way, or the folder does not exist.
    """
    check_target(path)
    if not is_file(path):
        return
    try:
        with open_regular(path) as file:
            there = file.read(len(begins))
    except OSError as error:
        raise UsageError(f"{path} cannot be read: {error.strerror}; choose another name") from None
    if there not in (b"", begins):
        raise UsageError(f"{path} exists and was not written by this command; choose another name, or remove it")


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Give a neighbouring name to write a file under; it takes the place of ``path`` when the block ends well.

    Raises:
        RunError: The disk does not take it.
    """
    draft = path.with_name(path.name + ".partial")
    try:
        try:
            yield draft
            sync(draft)
            draft.replace(path)
            sync(path.parent)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
    except OSError as error:
        raise RunError(f"{path} cannot be written: {error.strerror or error}") from None


def write_text(path: Path, text: str) -> None:
    """Write a text file whole, or not at all.

    Raises:
        RunError: The disk does not take it.
    """
    with replacing(path) as draft:
        draft.write_text(text, encoding="utf-8", newline="")


def write_json(path: Path, data: Any) -> None:
    """Write readable JSON whole, or not at all.

    Raises:
        RunError: The disk does not take it.
    """
    write_text(path, json.dumps(data, indent=2, ensure_ascii=False) + "\n")


def sync(path: Path) -> None:
    """Flush a file to disk, or a folder where the file system can do that.

    Raises:
        OSError: It cannot be flushed.
    """
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    except OSError as error:
        if not (path.is_dir() and error.errno in _NO_FOLDER_SYNC):
            raise
    finally:
        os.close(descriptor)


def link_or_copy(source: Path, target: Path) -> None:
    """Link a file, or copy it where links are not possible.

    Raises:
        OSError: Neither is possible.
    """
    try:
        target.hardlink_to(source)
    except OSError as error:
        if error.errno not in _NO_LINKS:
            raise
        shutil.copyfile(source, target)
        sync(target)


# Locking


@contextmanager
def locked(path: Path, *, shared: bool = False, wait: bool = False) -> Iterator[IO[bytes]]:
    """Hold the lock of a file, which is made if it is missing; the kernel drops it when the process ends in any way.

    Where the file system has no locks, nothing is held: all that is lost there is the protection against two processes
    at work in one folder.

    Args:
        path: The file.
        shared: Whether others may hold a shared lock at the same time.
        wait: Whether to wait for the lock.

    Yields:
        The file, open for reading and appending.

    Raises:
        LockedError: Another process holds it.
        OSError: The file cannot be opened or locked.
    """
    operation = (fcntl.LOCK_SH if shared else fcntl.LOCK_EX) | (0 if wait else fcntl.LOCK_NB)
    with path.open("a+b") as file:
        try:
            fcntl.flock(file, operation)
        except BlockingIOError:
            raise LockedError(f"Another process is at work in {path.parent}; wait until it ends") from None
        except OSError as error:
            if error.errno not in _NO_LOCKS:
                raise OSError(error.errno, error.strerror, str(path)) from None
        yield file


@contextmanager
def draft(parent: Path, prefix: str) -> Iterator[Path]:
    """Give a new folder in which something is made that is then moved to its place beside it; removed in the end.

    One process at a time makes something there, others wait; what one that was killed left is removed first.

    Raises:
        OSError: The disk does not take it.
    """
    with locked(parent / ".lock", wait=True):
        for left in parent.glob(f"{prefix}*"):
            shutil.rmtree(left, ignore_errors=True)
        with TemporaryDirectory(dir=parent, prefix=prefix) as name:
            yield Path(name)
