"""One machine's share of a collection."""

from __future__ import annotations

import re
from collections.abc import Mapping
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

    @classmethod
    def of_array(cls, environ: Mapping[str, str]) -> Shard:
        """The share of a task of a Slurm job array.

        Args:
            environ: The environment, in which Slurm says which task this is and of how many
                (https://slurm.schedmd.com/job_array.html).

        Raises:
            UsageError: It names no array, or one with tasks left out, of which nobody would make the others' episodes.
        """
        texts = [environ.get(f"SLURM_ARRAY_TASK_{name}", "") for name in ("ID", "MIN", "MAX", "COUNT")]
        if not all(re.fullmatch(r"\d{1,9}", text) for text in texts):
            raise UsageError(
                "A shard is 'auto' in a job array of Slurm (sbatch --array=1-4), and this is none; give one such as 1/4"
            )
        task, first, last, count = map(int, texts)
        if last - first + 1 != count or not first <= task <= last:
            raise UsageError(
                "The tasks of the array must follow one another, as in --array=1-4: each makes one share of the "
                "episodes; submit the whole array again to go on, for what is there is not made twice"
            )
        return cls(task - first + 1, count)

    @property
    def name(self) -> str:
        """Its name in file names."""
        return f"shard-{self.number}-of-{self.count}"

    def indices(self, episodes: int) -> range:
        """The numbers of those of so many episodes that belong to this share."""
        return range(self.number - 1, episodes, self.count)
