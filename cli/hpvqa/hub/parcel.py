"""What can be sent to the Hub, which of its files, and in what kind of repository."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from hpvqa.dataset.load import open_dataset
from hpvqa.dataset.manifest import MANIFEST_FILE, is_dataset
from hpvqa.dataset.verify import verify
from hpvqa.errors import RunError, UsageError
from hpvqa.files import file_record, read_bytes
from hpvqa.hub.kinds import MARKERS, Kind
from hpvqa.progress.reporter import Reporter
from hpvqa.vlm.adapter import CONFIG, read_adapter

_SPACE_CARD = """---
{front}---

A report of answers to questions about hidden physical properties, made by hpvqa.
"""


@dataclass(frozen=True)
class Parcel:
    """What is sent.

    Attributes:
        kind: What it is.
        files: Path or content of every file, by its path in the repository; the marker is the last.
    """

    kind: Kind
    files: Mapping[str, Path | bytes]

    @property
    def marker(self) -> str:
        """The file that makes the repository what it is."""
        return MARKERS[self.kind]

    def sizes(self) -> dict[str, int]:
        """Bytes of every file."""
        return {
            name: len(file) if isinstance(file, bytes) else file.stat().st_size for name, file in self.files.items()
        }


def pack(path: Path, reporter: Reporter) -> Parcel:
    """Collect the files of a data set, an adapter or a report, and compare those of a data set with its manifest.

    Args:
        path: Its folder, or the HTML file of a report.
        reporter: Told of every file that is compared.

    Raises:
        UsageError: It is none of these.
        RunError: The data set is damaged.
    """
    if path.is_file() and path.suffix.lower() in (".html", ".htm"):
        return _report(path)
    if is_dataset(path):
        return _dataset(path, reporter)
    if (path / CONFIG).is_file():
        return _adapter(path, reporter)
    raise UsageError(f"{path} is neither a data set, an adapter, nor the HTML page of a report; only these can be sent")


def _dataset(root: Path, reporter: Reporter) -> Parcel:
    dataset = open_dataset(root)
    found = verify(root, reporter)
    damaged = [problem for problem in found.problems if problem.fault != "unlisted"]
    if damaged:
        raise RunError(
            f"{damaged[0].file} in {root} is {damaged[0].fault} ({damaged[0].detail}), so nothing was sent; "
            f"see `hpvqa verify {root}`"
        )
    return Parcel("data set", {name: dataset.inside(name) for name in [*dataset.manifest.files, MANIFEST_FILE]})


def _adapter(folder: Path, reporter: Reporter) -> Parcel:
    read_adapter(folder)
    files = {
        path.name: path
        for path in sorted(folder.iterdir())
        # Checkpoints of the training are folders, locks and drafts begin or end so.
        if path.is_file() and not path.name.startswith(".") and not path.name.endswith(".partial")
    }
    named = {place for path in files.values() if path.suffix in (".json", ".md") for place in _places(path)}
    if named:
        reporter.warning(
            f"The adapter's files name places of this machine, which others will read: {', '.join(sorted(named))}"
        )
    marker = files.pop(CONFIG)
    return Parcel("adapter", {**files, CONFIG: marker})


def _places(file: Path) -> list[str]:
    """Absolute paths in a text that are something here."""
    text = read_bytes(file).decode("utf-8", "replace")
    return [path for path in re.findall(r"(?<![\w:/.~])/[^\s\"'`,;()<>]+", text) if Path(path).exists()]


def _report(page: Path) -> Parcel:
    front = yaml.safe_dump({"title": page.stem, "sdk": "static", "tags": ["hpvqa"]}, sort_keys=False)
    return Parcel("report", {"README.md": _SPACE_CARD.format(front=front).encode(), MARKERS["report"]: page})


def git_name(file: Path | bytes) -> tuple[str, str]:
    """What git and what large file storage call a content: SHA-1 with a header, and SHA-256.

    Raises:
        OSError: It cannot be read.
    """
    import hashlib

    content = file if isinstance(file, bytes) else file.read_bytes()
    blob = hashlib.sha1(b"blob %d\0" % len(content) + content, usedforsecurity=False).hexdigest()
    return blob, hashlib.sha256(content).hexdigest() if isinstance(file, bytes) else file_record(file).sha256
