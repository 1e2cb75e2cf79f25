"""Reading a data set."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from hpvqa.dataset.card import METADATA_FILE
from hpvqa.dataset.manifest import Manifest, read_manifest
from hpvqa.dataset.rows import Row
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

    def rows(self, split: Split) -> list[Row]:
        """The rows of a split; none if it is empty.

        Raises:
            RunError: The split's metadata are missing or damaged.
        """
        name = f"{split}/{METADATA_FILE}"
        if name not in self.manifest.files:
            return []
        path = self._inside(name)
        try:
            if file_record(path) != self.manifest.files[name]:
                raise RunError(f"{path} differs from the manifest; see `hpvqa verify {self.root}`, or build it again")
            return [Row.model_validate_json(line) for line in read_bytes(path).splitlines()]
        except FileNotFoundError:
            raise RunError(f"{path} is missing; build the data set again") from None
        except OSError as error:
            raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
        except ValidationError:
            raise RunError(f"{path} was made by another version of hpvqa; build the data set again") from None

    def clip(self, split: Split, row: Row) -> Path:
        """The video of a row.

        Raises:
            RunError: The row names a file that is not in the data set.
        """
        return self._inside(f"{split}/{row.file_name}")

    def _inside(self, name: str) -> Path:
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
