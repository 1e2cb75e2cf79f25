"""One line of ``predictions.jsonl``: the public original's fields, and ours beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import Any

from pydantic import Field, model_validator

from hpvqa.dataset.rows import Cluster, Gap, ending
from hpvqa.dataset.splits import Split
from hpvqa.plain import Model
from hpvqa.scene.spec import Side

TrialKey = tuple[str, str]
"""Condition, and name of a clip or an episode: what a run answers once."""


class Reply(Model):
    """What was answered to one row, whatever was asked."""

    file_name: str = Field(description="The clip, as in the metadata of its split, and which question about it.")
    question: str
    answer: Any
    prediction: Any
    is_correct: bool
    split: Split
    task: str
    source: str
    episode: int
    camera: str = Field(description="The camera; multiview: all of them in one query.")
    gap: Gap | None = Field(default=None, description="How far apart both hidden values are; null where not known.")
    seed: int | None = Field(default=None, description="Seed of the collection; null where not known.")
    shift: str | None = Field(default=None, description="What the episode changes for testing only; null: nothing.")
    condition: str = Field(default="plain", description="How the query differed from the row; plain if it did not.")
    wording: int | None = Field(
        default=None, description="Which paraphrase of the question it was; null: the task's own words."
    )
    text: str = Field(description="What was said, or how the answer came about.")
    seconds: float
    prompt_tokens: int | None = Field(default=None, description="Length of the prompt, videos included.")
    answer_tokens: int | None = Field(default=None, description="How many tokens were generated.")
    error: str | None = Field(description="Why the row could not be answered; null if it was.")

    @property
    def key(self) -> TrialKey:
        """What a run knows it by."""
        return (self.condition, self.file_name)

    @property
    def invalid(self) -> bool:
        """Whether something was said, but nothing that can be an answer."""
        return self.prediction is None and self.error is None

    @property
    def cluster(self) -> Cluster:
        """The episode that the row is about."""
        return (self.task, self.source, self.episode)

    @property
    def asked(self) -> tuple[Split, str]:
        """What was asked about, in whatever words: rows that share it can be compared."""
        return (self.split, self.file_name.removesuffix(ending(None, self.wording)))

    @property
    def clip(self) -> str:
        """The clip alone, as in the metadata of its split."""
        return self.asked[1]

    @property
    def agrees(self) -> bool:
        """What ``is_correct`` should say."""
        return bool(self.prediction == self.answer)


class Prediction(Reply):
    """Which of two was said to have more."""

    answer: Side = Field(description="The true answer to what was asked; mirrored frames have the other one.")
    prediction: Side | None = Field(description="The given answer; null where it was none.")
    is_correct: bool = Field(description="Whether both agree; an invalid answer is never correct.")
    choices: tuple[Side, ...] = Field(description="The words to choose from, in order.")
    logprobs: dict[Side, float] | None = Field(description="Of the choices; null where the answerer has none.")
    p_left: float | None = Field(description="Probability of left among the choices, from log-probabilities or shares.")
    p_choices: float | None = Field(
        default=None,
        description="Probability that one of the choices is said at all; low where a model wants to say more.",
    )
    shares: dict[Side, float] | None = Field(
        default=None, description="Of the choices among answers that were drawn; null where none were drawn."
    )


CLOSE = 0.1
"""A value that is off by no more than this share of the true one is close."""


class Estimate(Reply):
    """How much of it one thing was said to have."""

    answer: float = Field(description="The true value, in the unit that was asked for.")
    prediction: float | None = Field(description="The given value; null where it was none.")
    is_correct: bool = Field(description="Whether it is off by a tenth of the true value at most.")
    about: str = Field(description="The thing that was asked about, by its name.")
    unit: str = Field(description="The unit of both values; empty for plain numbers.")
    quantiles: dict[float, float] | None = Field(
        default=None, description="What the value is below with each of some probabilities; null where not known."
    )
    training_mean: float | None = Field(
        description="Mean of the true values of all such rows of the training split; null without any."
    )

    @model_validator(mode="after")
    def _can_be_scored(self) -> Estimate:
        if not all(map(math.isfinite, (self.answer, self.prediction or 0.0))):
            raise ValueError("a true value is a number, and so are answers")
        return self

    @property
    def clip(self) -> str:
        """The clip alone, as in the metadata of its split."""
        return self.asked[1].removesuffix(ending(self.about, None))

    @property
    def agrees(self) -> bool:
        """What ``is_correct`` should say."""
        return relative_error(self.prediction, self.answer) <= CLOSE


def relative_error(value: float | None, truth: float) -> float:
    """How far a value is off, as a share of the true one; infinitely far where there is none, and off a true 0."""
    # Programs in exports carry this function alone.
    if value is None or truth == 0:
        return 0.0 if value == truth else float("inf")
    # 1.1 is off by a tenth of 1, whatever its last binary digit.
    return round(abs(value - truth) / abs(truth), 12)


def parse_reply(line: bytes) -> Reply:
    """A line of ``predictions.jsonl``.

    Raises:
        ValidationError: It is none.
    """
    return (Estimate if b'"training_mean":' in line else Prediction).model_validate_json(line)


def paired(a: Iterable[Prediction], b: Iterable[Prediction]) -> list[tuple[Prediction, Prediction]]:
    """The rows that both answered, in the order of the first."""
    first, second = ({row.asked: row for row in rows if row.error is None} for rows in (a, b))
    return [(row, second[name]) for name, row in first.items() if name in second]
