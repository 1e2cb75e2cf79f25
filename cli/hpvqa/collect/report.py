"""What a run did, in numbers: episodes made and failed, and whether failures prefer some hidden values."""

from __future__ import annotations

import itertools
import math
from typing import Literal

from pydantic import Field

from hpvqa.plain import Model
from hpvqa.record.episode import EpisodeRecord
from hpvqa.tasks import TASKS

DECILES = 10


class Decile(Model):
    """Attempts at episodes by the value of the hidden property; each attempt counts for all of its things."""

    low: float
    high: float
    objects: int = Field(description="Things with such a value, over all attempts.")
    failed: int = Field(description="Those of them whose attempt failed.")


class TaskReport(Model):
    """What a run did for one task."""

    asked: int = Field(description="Episodes that there should be (of this shard).")
    already: int = Field(description="Episodes that were there before.")
    made: int = Field(description="Episodes made by this run.")
    failed_attempts: int = Field(description="Attempts that failed, of all episodes that are there now.")
    failed: int = Field(description="Episodes whose every attempt failed; no data set takes them.")
    hidden: str = Field(description="The hidden property.")
    deciles: tuple[Decile, ...] = Field(description="Attempts by tenth of the range of the hidden property.")


class Report(Model):
    """What a run did."""

    data: str
    status: Literal["finished", "interrupted"]
    seconds: float
    tasks: dict[str, TaskReport]

    @property
    def any_failed(self) -> bool:
        """Whether any attempt failed."""
        return any(task.failed_attempts for task in self.tasks.values())


class Tally:
    """Counts the episodes of one task.

    Args:
        task: Name of the task.
        asked: How many episodes there should be.
    """

    def __init__(self, task: str, asked: int) -> None:
        self._task = TASKS[task]
        self._asked = asked
        self._already = self._made = self._failed = 0
        self._failed_attempts = 0
        self._objects = [0] * DECILES
        self._failed_objects = [0] * DECILES

    def already(self, record: EpisodeRecord) -> None:
        """Count an episode that was there before."""
        self._already += 1
        self._count(record)

    def made(self, record: EpisodeRecord) -> None:
        """Count an episode made by this run."""
        self._made += 1
        self._count(record)

    def _count(self, record: EpisodeRecord) -> None:
        tries, failed = attempts(record)
        self._failed += not record.outcome.ok
        self._failed_attempts += failed
        low, high = self._task.hidden_range
        for value in self._task.values(record.spec).values():
            share = (value - low) / (high - low)
            decile = min(max(math.floor(share * DECILES), 0), DECILES - 1)
            self._objects[decile] += tries
            self._failed_objects[decile] += failed

    def report(self) -> TaskReport:
        """The counts so far."""
        low, high = self._task.hidden_range
        edges = [low + (high - low) * tenth / DECILES for tenth in range(DECILES + 1)]
        return TaskReport(
            asked=self._asked,
            already=self._already,
            made=self._made,
            failed_attempts=self._failed_attempts,
            failed=self._failed,
            hidden=self._task.hidden,
            deciles=tuple(
                Decile(low=start, high=end, objects=objects, failed=failed)
                for (start, end), objects, failed in zip(
                    itertools.pairwise(edges), self._objects, self._failed_objects, strict=True
                )
            ),
        )


def attempts(record: EpisodeRecord) -> tuple[int, int]:
    """How often an episode was tried, and how often that failed."""
    earlier = len(record.failed_attempts)
    return earlier + 1, earlier + (not record.outcome.ok)
