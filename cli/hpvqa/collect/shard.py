"""One machine's share of a collection."""

from __future__ import annotations

import re
from dataclasses import dataclass

from hpvqa.errors import UsageError


@dataclass(frozen=True)
class Shard:
    """Share ``number`` of ``count``; numbers begin at 1."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Shard:
        """Read ``i/n``.

        Raises:
            UsageError: It is not that, or i is not between 1 and n.
        """
        match = re.fullmatch(r"(\d{1,6})/(\d{1,6})", text)
        if not match or not 1 <= int(match[1]) <= int(match[2]):
            raise UsageError(f"A shard looks like 1/4, the first of four, up to 4/4; {text!r} does not")
        return cls(int(match[1]), int(match[2]))

    @property
    def name(self) -> str:
        """Its name in file names."""
        return f"shard-{self.number}-of-{self.count}"

    def indices(self, episodes: int) -> range:
        """The numbers of those of so many episodes that belong to this share."""
        return range(self.number - 1, episodes, self.count)
