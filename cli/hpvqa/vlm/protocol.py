"""What an answerer is: it is given queries, which hold no label, and returns an answer to each."""

from __future__ import annotations

import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal, Protocol

from pydantic import JsonValue

from hpvqa.errors import HpvqaError
from hpvqa.record.episode import CameraRecord
from hpvqa.scene.spec import Side
from hpvqa.tasks.base import FORMS, Form
from hpvqa.vlm.frames.clip import Clip, Frames

Resampling = Literal["none", "unknown"]
"""unknown: a server may have dropped frames again, and does not tell."""


@dataclass(frozen=True)
class Query:
    """One question about one clip.

    Attributes:
        key: Name of the row; random answers are seeded with it, so that no answer depends on the order of the rows.
        task: Name of the task.
        clip: The video file.
        fps: Its frame rate [1/s].
        frames: How many frames it should have.
        camera: Pose and intrinsics of the camera that recorded the clip; None where they are not known.
        question: The question as the data set has it.
        system: What a model is told before all else; empty: nothing.
        text: What it is asked after the videos.
        choices: The words to choose from, in the order in which the question names them.
        unit: Where a number is asked for and no word: in which unit it is, empty for a plain one; None: a word is.
        about: The thing that the question is about, by its name; None: all of them.
        episode: Folder of the whole recording. Privileged: a fair answerer sees the clip alone.
        times: When each stored frame is shown [s], if the frame rate varies; see `Clip`.
        videos: The frames to look at, one entry a clip; empty for an answerer that opens clips itself.
    """

    key: str
    task: str
    clip: Path
    fps: float
    frames: int
    camera: CameraRecord | None
    question: str
    system: str
    text: str
    choices: tuple[Side, ...]
    episode: Path
    videos: tuple[Frames, ...] = ()
    times: tuple[float, ...] = ()
    unit: str | None = None
    about: str | None = None

    def recording(self, moments: tuple[float, ...] = ()) -> Clip:
        """The clip that it is about, to choose frames of.

        Args:
            moments: When its recorded events happened [s], for the privileged sampler.
        """
        return Clip(self.clip, self.fps, self.frames, moments, self.times)


@dataclass(frozen=True)
class Answer:
    """The answer to one query.

    Attributes:
        choice: The chosen word; None where there is no valid answer, or a number was asked for.
        text: What was said, or how the choice came about.
        logprobs: Natural logarithm of the probability of each choice among all that could have been said; None where
            the answerer has none.
        seconds: Time that the answer took: the share of a batch.
        prompt_tokens: Length of the prompt, videos included; None where it is not known.
        answer_tokens: How many tokens were generated; None where it is not known.
        error: Why there is no answer, in a sentence; None where there is one.
        value: The number, in the unit that was asked for; None where there is no valid one, or a word was asked for.
        quantiles: What the number is below with each of some probabilities; None where the answerer has none.
        shares: Share of each choice among answers that were drawn; None where none were drawn.
    """

    choice: Side | None = None
    text: str = ""
    logprobs: Mapping[Side, float] | None = None
    seconds: float = 0.0
    prompt_tokens: int | None = None
    answer_tokens: int | None = None
    error: str | None = None
    value: float | None = None
    quantiles: Mapping[float, float] | None = None
    shares: Mapping[Side, float] | None = None


class Answerer(Protocol):
    """Whoever answers queries. One that is not given frames can be pickled, so that several processes may answer.

    Making one checks its settings and is quick; what takes long or much memory happens in :meth:`load`.
    """

    @property
    def name(self) -> str:
        """The name that it is asked for by."""

    @property
    def batch_size(self) -> int:
        """How many queries it likes to be given at once."""

    @property
    def given_frames(self) -> bool:
        """Whether its queries must hold frames; else it opens clips itself, or looks at none."""

    @property
    def forms(self) -> Sequence[Form]:
        """The forms of question that it can answer."""

    @property
    def details(self) -> Mapping[str, JsonValue]:
        """Everything about it that its answers depend on, for ``run.json``; no secrets."""

    @property
    def distributions(self) -> Sequence[str]:
        """Packages, by the names under which they are installed, whose versions its answers may depend on."""

    @property
    def resampling(self) -> Resampling:
        """Whether the frames that it is given are the frames that its model sees."""

    @property
    def privileged(self) -> bool:
        """Whether it looks at what a camera does not see."""

    def load(self, tell: Callable[[str], None]) -> None:
        """Get ready, once, before the first query.

        Args:
            tell: Takes sentences that a user should see, now or during later answers.

        Raises:
            HpvqaError: It cannot be had.
        """

    def answer(self, queries: Sequence[Query]) -> list[Answer]:
        """One answer a query, in the same order. A query that cannot be answered gets an answer that holds an error.

        Raises:
            HpvqaError: No query could be answered, now or later, as when a server has gone.
        """

    def close(self) -> None:
        """Let go of memory, processes and connections; may be called twice."""


class OneByOne(ABC):
    """Base of answerers that look at one query at a time."""

    name: str
    batch_size = 1
    given_frames = False
    forms: Sequence[Form] = FORMS
    privileged = False
    resampling: Resampling = "none"
    details: Mapping[str, JsonValue] = {}
    distributions: Sequence[str] = ()

    def load(self, tell: Callable[[str], None]) -> None:  # noqa: B027 - most have nothing to load
        """Nothing takes long."""

    def close(self) -> None:  # noqa: B027
        """Nothing is held."""

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
