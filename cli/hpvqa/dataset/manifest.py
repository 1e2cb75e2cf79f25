"""The list of a data set's files with their checksums; its own checksum is the data set's fingerprint."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from hpvqa.errors import RunError, UsageError
from hpvqa.files import FileRecord, read_bytes
from hpvqa.places import MARKERS, not_a
from hpvqa.plain import Model, explain

MANIFEST_FILE = MARKERS["data set"]
METADATA_FILE = "metadata.jsonl"
"""The rows of a split, in its folder."""


class Manifest(Model):
    """``manifest.json``: what a data set was made from, and every file that it holds except this one."""

    kind: Literal["hpvqa-dataset"] = "hpvqa-dataset"
    schema_version: Literal[1] = 1
    source: str = Field(description="Name of the folder that it was built from.")
    split_seed: int = Field(description="Seed of the assignment of episodes to splits.")
    files: dict[str, FileRecord] = Field(description="By path, relative to the data set.")


def is_dataset(folder: Path) -> bool:
    """Whether a folder looks like a data set of ours."""
    return (folder / MANIFEST_FILE).is_file()


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Read a data set's manifest, and its fingerprint: the SHA-256 of the manifest.

    Raises:
        UsageError: The folder is no data set.
        RunError: The manifest is damaged.
    """
    path = folder / MANIFEST_FILE
    try:
        data = read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(not_a("data set", folder)) from None
    except OSError as error:
        raise RunError(f"{path} cannot be read: {error.strerror or error}") from None
    try:
        manifest = Manifest.model_validate_json(data)
    except ValidationError as error:
        raise RunError(f"{path} is damaged ({explain(error)}); build the data set again") from None
    return manifest, hashlib.sha256(data).hexdigest()
