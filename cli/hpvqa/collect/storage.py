"""A data folder in storage that nodes reach without sharing a disk: a bucket or a server, through fsspec."""

from __future__ import annotations

from collections.abc import Container, Iterator
from contextlib import contextmanager
from pathlib import Path, PurePosixPath
from typing import Any

from pydantic import ValidationError

from hpvqa.collect.settings import COLLECTION_FILE, Collection
from hpvqa.errors import HpvqaError, MissingDependencyError, RunError, UsageError
from hpvqa.install import pip_install
from hpvqa.record.episode import RECORD_FILE, EpisodeRecord, episode_dir, episode_index

AT_ONCE = 500
"""How many records are fetched side by side."""


class Storage:
    """A data folder at an address. An episode is there once its record is, which is sent last.

    Args:
        address: An address of fsspec, such as ``s3://bucket/data``.

    Raises:
        MissingDependencyError: fsspec is not installed, or what it needs for such an address.
        UsageError: It is no such address.
    """

    def __init__(self, address: str) -> None:
        self._address = address.rstrip("/")
        try:
            import fsspec

            self._files, self._root = fsspec.url_to_fs(self._address)
            if isinstance(self._files, fsspec.get_filesystem_class("file")):
                # A node would look for a relative path in a folder of its own.
                self._address = self._files.unstrip_protocol(self._root)
        except ImportError as error:
            raise MissingDependencyError(f"{address} cannot be reached: {error}; {pip_install('ray')}") from None
        except ValueError as error:
            raise UsageError(f"{address} is no address of storage, such as s3://bucket/data: {error}") from None

    def __str__(self) -> str:
        """The address."""
        return self._address

    def settings(self) -> Collection | None:
        """What the storage holds; None if nothing yet.

        Raises:
            HpvqaError: It cannot be reached, or its settings are damaged.
        """
        with self._reached("read"):
            try:
                text = self._files.cat_file(f"{self._root}/{COLLECTION_FILE}")
            except FileNotFoundError:
                return None
        try:
            return Collection.model_validate_json(text)
        except ValidationError:
            raise UsageError(
                f"{self}/{COLLECTION_FILE} is not what this version writes; choose another --storage"
            ) from None

    def put_settings(self, path: Path) -> None:
        """Send the file of settings.

        Raises:
            RunError: The storage does not take it.
        """
        with self._reached("written"):
            self._files.makedirs(self._root, exist_ok=True)
            self._put(path, f"{self._root}/{COLLECTION_FILE}")

    def records(self, task: str, wanted: Container[int]) -> Iterator[tuple[int, EpisodeRecord]]:
        """The numbers and records of the episodes of a task that are there.

        Args:
            task: Its name.
            wanted: The numbers to look for.

        Raises:
            RunError: The storage cannot be read.
        """
        with self._reached("read"):
            # A store may still show what it listed before another run wrote to it.
            self._files.invalidate_cache()
            found = sorted(self._files.glob(f"{self._root}/{task}/[0-9]*/episode-*/{RECORD_FILE}"))
        numbers = {path: episode_index(Path(PurePosixPath(path).parent)) for path in found}
        paths = [path for path, number in numbers.items() if number is not None and number in wanted]
        for begin in range(0, len(paths), AT_ONCE):
            with self._reached("read"):
                texts: dict[str, bytes] = self._files.cat(paths[begin : begin + AT_ONCE], on_error="raise")
            for text in texts.values():
                try:
                    record = EpisodeRecord.model_validate_json(text)
                except ValidationError:
                    # Some file systems show a file while it is sent: this one is sent again.
                    continue
                yield record.spec.index, record

    def put_episode(self, folder: Path, task: str, index: int) -> None:
        """Send an episode; what an interrupted attempt left is written over.

        Raises:
            RunError: The storage does not take it.
        """
        with self._reached("written"):
            target = f"{self._root}/{episode_dir(Path(), task, index).as_posix()}"
            self._files.makedirs(target, exist_ok=True)
            for path in sorted(folder.iterdir(), key=lambda path: (path.name == RECORD_FILE, path.name)):
                self._put(path, f"{target}/{path.name}")

    def _put(self, path: Path, target: str) -> None:
        self._files.put_file(str(path), target)

    @contextmanager
    def _reached(self, done: str) -> Iterator[None]:
        """What any of the many libraries behind fsspec raises, as one error."""
        try:
            yield
        except HpvqaError:
            raise
        except Exception as error:
            words: Any = getattr(error, "strerror", None) or str(error) or type(error).__name__
            raise RunError(
                f"The storage {self} cannot be {done}: {str(words).splitlines()[0]}; finished episodes are kept"
            ) from error
