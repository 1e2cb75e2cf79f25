"""Folders that are written whole or not at all, with the permissions that other files get."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from hpvqa.errors import RunError, UsageError
from hpvqa.files import check_target, locked, sync

_LOCK = ".lock"
_PROBE = 1 << 20
"""How much is written to find out what a disk says [bytes]."""


def check_place(out: Path) -> None:
    """Raise if a folder cannot be made or written to, as on a disk that is read-only; it is tried out.

    Raises:
        UsageError: The message says why.
    """
    check_target(out, folder=True)
    nearest = next(folder for folder in (out.absolute(), *out.absolute().parents) if folder.is_dir())
    try:
        Path(tempfile.mkdtemp(prefix=".hpvqa.", dir=nearest)).rmdir()
    except OSError as error:
        raise UsageError(
            f"{out} cannot be written ({nearest}: {error.strerror or error}); choose another place"
        ) from None


def check_new(out: Path) -> None:
    """Raise unless a folder can be made anew; an empty one may be there.

    Raises:
        UsageError: It holds something, or something is in its way.
    """
    check_place(out)
    if Path.cwd().is_relative_to(out.resolve()):
        raise UsageError(f"{out} is the folder you are in, which would be replaced; choose another one")
    if out.is_dir() and any(out.iterdir()):
        raise UsageError(f"{out} exists already; delete it or choose another folder")


@contextmanager
def new_folder(out: Path, *, replace: bool = False) -> Iterator[Path]:
    """Give a neighbouring folder to write in; it takes the place of ``out`` when the block ends well.

    What a process that was killed left there is removed first.

    Args:
        out: The folder.
        replace: Whether a folder that holds something is replaced.

    Raises:
        RunError: The disk does not take it, or another process is writing it.
    """
    # A link stays, and what it leads to is made.
    target = out.resolve()
    draft = target.with_name(target.name + ".partial")
    try:
        draft.mkdir(parents=True, exist_ok=True)
        with locked(draft / _LOCK):
            try:
                _clear(draft)
                yield draft
                open_up(draft)
                (draft / _LOCK).unlink()
                if replace:
                    shutil.rmtree(target, ignore_errors=True)
                draft.replace(target)
            except BaseException as error:
                failed = RunError(f"{out} cannot be written: {reason(error, draft)}") if of_disk(error) else error
                shutil.rmtree(draft, ignore_errors=True)
                raise failed from None
            sync(target.parent)
    except OSError as error:
        raise RunError(f"{out} cannot be written: {error.strerror or error}") from None


def open_up(folder: Path) -> None:
    """Flush a folder to disk, and give the files at its top the permissions that the user's umask wants.

    Safetensors writes files that nobody else can read. Further down may be links to files of others, which keep theirs.

    Raises:
        OSError: The disk does not take them.
    """
    mode = folder.stat().st_mode & 0o666
    for path in folder.rglob("*"):
        if path.parent == folder and path.is_file():
            path.chmod(mode)
        sync(path)
    sync(folder)


def of_disk(error: BaseException) -> bool:
    """Whether an error in writing is the disk's."""
    try:
        from safetensors import SafetensorError
    except ImportError:
        # Then no weights were written.
        return isinstance(error, OSError)
    # The writer of tokenizer.json raises no subclass.
    return isinstance(error, OSError | SafetensorError) or type(error) is Exception


def reason(error: BaseException, folder: Path) -> str:
    """Why a folder could not be written, in words.

    torch and safetensors wrap what the system said, torch in words that say nothing of it; so the disk is asked again.

    Args:
        error: What was raised.
        folder: Where they were to be written; what was written of them must still be there.
    """
    if isinstance(error, OSError) and error.strerror:
        return error.strerror
    try:
        with tempfile.TemporaryFile(dir=folder) as file:
            file.write(bytes(_PROBE))
            file.flush()
    except OSError as again:
        return again.strerror or str(again)
    return str(error).strip().partition("\n")[0]


def _clear(folder: Path) -> None:
    for path in folder.iterdir():
        if path.name == _LOCK:
            continue
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
