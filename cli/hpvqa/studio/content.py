"""What any pages are: addresses, and what is there, whether it is served or written as files."""

from __future__ import annotations

from collections.abc import Iterator, Sized
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from hpvqa.progress.reporter import Reporter

HOME = "index.html"
_KINDS = {
    ".html": "text/html; charset=utf-8",
    ".css": "text/css; charset=utf-8",
    ".js": "text/javascript; charset=utf-8",
    ".mp4": "video/mp4",
    ".jpg": "image/jpeg",
    ".png": "image/png",
}


@dataclass(frozen=True)
class Content:
    """What is at an address.

    Attributes:
        kind: Its media type.
        body: It, or the file that holds it.
    """

    kind: str
    body: bytes | Path


def content(address: str, body: bytes | Path) -> Content:
    """What is at an address, whose ending says what it is."""
    return Content(_KINDS[address[address.rindex(".") :]], body)


class Pages(Protocol):
    """All of them, about what lies in some folders."""

    @property
    def roots(self) -> tuple[Path, ...]:
        """The folders, which are only read."""

    def read(self, reporter: Reporter) -> Sized:
        """Look what there is now.

        Args:
            reporter: Told of everything that is read.

        Raises:
            RunError: Something is damaged.
        """

    def addresses(self) -> Iterator[str]:
        """Everything that there is, once it was read."""

    def get(self, address: str) -> Content | None:
        """What is at an address; None if nothing is there. No path is made of what a browser says.

        Raises:
            RunError: Something is damaged.
        """
