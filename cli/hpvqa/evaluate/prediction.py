"""One line of ``predictions.jsonl``: the public original's fields, and ours beside them."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

from pydantic import Field

from hpvqa.dataset.rows import Cluster, Gap
from hpvqa.dataset.splits import Split
from hpvqa.plain import Model
from hpvqa.scene.spec import Side

TrialKey = tuple[str, str]
"""Condition, and name of a clip or an episode: what a run answers once."""


class Prediction(Model):
    """What was answered to one row."""

    file_name: str = Field(description="The clip, as in the metadata of its split.")
    question: str
    answer: Side = Field(description="The true answer to what was asked; mirrored frames have the other one.")
    prediction: Side | None = Field(description="The given answer; null where it was none.")
    is_correct: bool = Field(description="Whether both agree; an invalid answer is never correct.")
    split: Split
    task: str
    source: str
    episode: int
    camera: str = Field(description="The camera; multiview: all of them in one query.")
    gap: Gap | None = Field(default=None, description="How far apart both hidden values are; null where not known.")
    seed: int | None = Field(default=None, description="Seed of the collection; null where not known.")
    shift: str | None = Field(default=None, description="What the episode changes for testing only; null: nothing.")
    condition: str = Field(default="plain", description="How the query differed from the row; plain if it did not.")
    choices: tuple[Side, ...] = Field(description="The words to choose from, in order.")
    logprobs: dict[Side, float] | None = Field(description="Of the choices; null where the answerer has none.")
    p_left: float | None = Field(description="Probability of left among the choices, from the log-probabilities.")
    p_choices: float | None = Field(
        default=None,
        description="Probability that one of the choices is said at all; low where a model wants to say more.",
    )
    text: str = Field(description="What was said, or how the choice came about.")
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
        """Whether something was said, but not one of the choices."""
        return self.prediction is None and self.error is None

    @property
    def cluster(self) -> Cluster:
        """The episode that the row is about."""
        return (self.task, self.source, self.episode)


def paired(a: Iterable[Prediction], b: Iterable[Prediction]) -> list[tuple[Prediction, Prediction]]:
    """The rows that both answered, in the order of the first."""
    first, second = ({(row.split, row.file_name): row for row in rows if row.error is None} for rows in (a, b))
    return [(row, second[name]) for name, row in first.items() if name in second]


def p_left(logprobs: Mapping[Side, float]) -> float:
    """Probability of ``left`` once it is known that the answer is one of the choices."""
    difference = logprobs["right"] - logprobs["left"]
    return 1.0 / (1.0 + math.exp(difference)) if difference < 700 else 0.0
