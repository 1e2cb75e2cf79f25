"""One line of ``predictions.jsonl``: the public original's fields, and ours beside them."""

from __future__ import annotations

import math
from collections.abc import Mapping

from pydantic import Field

from hpvqa.dataset.rows import Cluster, Row
from hpvqa.dataset.splits import Split
from hpvqa.scene.spec import Model, Side
from hpvqa.vlm.protocol import Answer


class Prediction(Model):
    """What was answered to one row."""

    file_name: str = Field(description="The clip, as in the metadata of its split.")
    question: str
    answer: Side = Field(description="The true answer.")
    prediction: Side | None = Field(description="The given answer; null where it was none.")
    is_correct: bool
    split: Split
    task: str
    source: str
    episode: int
    camera: str
    condition: str = Field(default="plain", description="How the query differed from the row; plain if it did not.")
    choices: tuple[Side, ...] = Field(description="The words to choose from, in order.")
    logprobs: dict[Side, float] | None = Field(description="Of the choices; null where the answerer has none.")
    p_left: float | None = Field(description="Probability of left among the choices, from the log-probabilities.")
    text: str = Field(description="What was said, or how the choice came about.")
    seconds: float
    error: str | None = Field(description="Why the row could not be answered; null if it was.")

    @property
    def cluster(self) -> Cluster:
        """The episode that the row is about."""
        return (self.task, self.source, self.episode)


def predict(split: Split, row: Row, choices: tuple[Side, ...], answer: Answer) -> Prediction:
    """Put a row and the answer to it together."""
    return Prediction(
        file_name=row.file_name,
        question=row.question,
        answer=row.answer,
        prediction=answer.choice,
        is_correct=answer.choice == row.answer,
        split=split,
        task=row.task,
        source=row.source,
        episode=row.episode,
        camera=row.camera,
        choices=choices,
        logprobs=None if answer.logprobs is None else dict(answer.logprobs),
        p_left=None if answer.logprobs is None else p_left(answer.logprobs),
        text=answer.text,
        seconds=round(answer.seconds, 6),
        error=answer.error,
    )


def p_left(logprobs: Mapping[Side, float]) -> float:
    """Probability of ``left`` once it is known that the answer is one of the choices."""
    return 1.0 / (1.0 + math.exp(logprobs["right"] - logprobs["left"]))
