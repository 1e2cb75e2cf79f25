"""What an answerer is: it is given queries, which hold no label, and returns an answer to each."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from hpvqa.errors import HpvqaError
from hpvqa.record.episode import CameraRecord
from hpvqa.scene.spec import Side


@dataclass(frozen=True)
class Query:
    """One question about one clip.

    Attributes:
        key: Name of the row; whoever draws lots draws them from it, so that no answer depends on the order of the rows.
        task: Name of the task.
        clip: The video file.
        fps: Its frame rate [1/s].
        frames: How many frames it should have.
        camera: Pose and intrinsics of the camera that recorded the clip; None where they are not known.
        question: The question.
        system_prompt: What a model is told before it.
        choices: The words to choose from.
        episode: Folder of the whole recording. Privileged: a fair answerer sees the clip alone.
    """

    key: str
    task: str
    clip: Path
    fps: float
    frames: int
    camera: CameraRecord | None
    question: str
    system_prompt: str
    choices: tuple[Side, ...]
    episode: Path


@dataclass(frozen=True)
class Answer:
    """The answer to one query.

    Attributes:
        choice: The chosen word; None where there is no valid answer.
        text: What was said, or how the choice came about.
        logprobs: Natural logarithm of the probability of each choice; None where the answerer has none.
        seconds: Time that the answer took.
        error: Why there is no answer, in a sentence; None where there is one.
    """

    choice: Side | None
    text: str = ""
    logprobs: Mapping[Side, float] | None = None
    seconds: float = 0.0
    error: str | None = None


class Answerer(Protocol):
    """Whoever answers queries. It can be pickled, so that several processes may answer."""

    @property
    def name(self) -> str:
        """The name that it is asked for by."""

    @property
    def batch_size(self) -> int:
        """How many queries it likes to be given at once."""

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer a query, in the same order. A query that cannot be answered gets an answer that holds an error."""


class OneByOne(ABC):
    """Base of answerers that look at one query at a time."""

    name: str
    batch_size = 1

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """Answer each query by itself, and take the time."""
        return [self._timed(query) for query in queries]

    def _timed(self, query: Query) -> Answer:
        start = time.perf_counter()
        try:
            answer = self.answer_one(query)
        except HpvqaError as error:
            answer = Answer(None, error=str(error))
        return replace(answer, seconds=time.perf_counter() - start)

    @abstractmethod
    def answer_one(self, query: Query) -> Answer:
        """Answer one query.

        Raises:
            HpvqaError: It cannot be answered, for example because its clip does not decode.
        """
