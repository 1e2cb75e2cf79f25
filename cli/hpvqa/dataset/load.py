"""Reading a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hpvqa.dataset.manifest import METADATA_FILE, Manifest, read_manifest
from hpvqa.dataset.rows import AnyRow, Row, ValueRow, parse_row
from hpvqa.dataset.splits import Split
from hpvqa.errors import RunError
from hpvqa.files import file_record, inside, read_bytes


@dataclass(frozen=True)
class Dataset:
    """A data set on disk.

    Attributes:
        root: Its folder.
        manifest: Its files.
        fingerprint: SHA-256 of its manifest.
    """

    root: Path
    manifest: Manifest
    fingerprint: str

    def rows(self, split: Split) -> list[AnyRow]:
        """The rows of a split; none if it is empty.

        Raises:
            RunError: The split's metadata are missing or damaged.
        """
        name = f"{split}/{METADATA_FILE}"
        if name not in self.manifest.files:
            return []
        path = self.inside(name)
        try:
            if file_record(path) != self.manifest.files[name]:
                raise RunError(f"{path} differs from the manifest; see `hpvqa verify {self.root}`, or build it again")
            return [parse_row(line) for line in read_bytes(path).splitlines()]
        except FileNotFoundError:
            raise RunError(f"{path} is missing; build the data set again") from None
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
        except ValidationError:
            raise RunError(f"{path} was made by another version of hpvqa; build the data set again") from None

    def comparisons(self, split: Split) -> list[Row]:
        """Those of them that ask which of two has more, in the task's own words.

        Raises:
            RunError: The split's metadata are missing or damaged.
        """
        return [row for row in self.rows(split) if isinstance(row, Row) and row.wording is None]

    def values(self, split: Split) -> list[ValueRow]:
        """Those of them that ask how much of it one thing has, in the task's own words.

        Raises:
            RunError: The split's metadata are missing or damaged.
        """
        return [row for row in self.rows(split) if isinstance(row, ValueRow) and row.wording is None]

    def true_values(self, split: Split) -> dict[str, list[float]]:
        """The true values of a split's value questions, in ascending order, by task; tasks without any are left out.

        Raises:
            RunError: The split's metadata are missing or damaged.
        """
        found: dict[str, list[float]] = {}
        for row in self.values(split):
            found.setdefault(row.task, []).append(row.value)
        return {task: sorted(values) for task, values in found.items()}

    def clip(self, split: Split, row: AnyRow) -> Path:
        """The video of a row.

        Raises:
            RunError: The row names a file that is not in the data set.
        """
        return self.inside(f"{split}/{row.file_name}")

    def inside(self, name: str) -> Path:
        """A file of the data set, by its path relative to it.

        Raises:
            RunError: The path leads out of the data set.
        """
        try:
            return inside(self.root, name)
        except ValueError as error:
            raise RunError(f"The data set {self.root} is damaged: {error}") from None


def open_dataset(root: Path) -> Dataset:
    """Open a data set.

    Raises:
        UsageError: The folder is no data set.
        RunError: Its manifest is damaged.
    """
    manifest, fingerprint = read_manifest(root)
    return Dataset(root, manifest, fingerprint)
