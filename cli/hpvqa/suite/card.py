"""A score card: how a model does on every part of the suite, beside baselines and the ceiling."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Final, Literal

from pydantic import Field, JsonValue, ValidationError

from hpvqa.errors import UsageError
from hpvqa.evaluate.statistics.combine import means_interval
from hpvqa.evaluate.statistics.interval import Interval, accuracy_interval
from hpvqa.files import read_bytes
from hpvqa.plain import Model, explain

CARD_FILE = "card.json"
PAGE_FILE = "card.html"
Who = Literal["model", "majority", "random", "pixels", "ceiling"]
FormName = Literal["compare", "value", "scene"]
MEASURES: Final[Mapping[FormName, str]] = {
    "compare": "correct answers",
    "value": "values that are off by a tenth at most",
    "scene": "correct answers",
}
HEADLINE = (
    "The share of correct answers to the questions which of two has more, about episodes without a shift: the mean "
    "over the tasks, each of which counts alike. All views count, whatever the model was trained on."
)
WHO: Final[Mapping[Who, str]] = {
    "model": "what the card is about.",
    "majority": "always the more frequent true answer of the task; for values the mean of the training episodes.",
    "random": "a coin; for values one of the training episodes'; in scenes any option.",
    "pixels": "measures in the pictures, and knows where the camera stands.",
    "ceiling": "knows where things are in the frames; in scenes, an ideal observer.",
}
"""Whose scores stand side by side, and what they do."""
NOT_ANSWERED = "x"
"""Stands for a row that could not be answered."""


class Score(Model):
    """A share, and how sure it is."""

    share: float
    low: float | None = Field(default=None, description="Where its interval of 95 % begins; null: none is known.")
    high: float | None = Field(default=None, description="Where it ends.")
    rows: int = Field(description="Rows that count.")
    episodes: int = Field(description="Episodes, or groups of scenes, that they come from.")

    @property
    def interval(self) -> Interval:
        """Its interval; of a share without one, the share itself."""
        low, high = (self.share if end is None else end for end in (self.low, self.high))
        return Interval(low=low, high=high, method="cluster bootstrap")


Answers = dict[str, Annotated[str, Field(pattern="^[01x]*$")]]
"""By episode: a character for each of its rows, in the order of the data set: 1 correct, 0 wrong, x not answered."""


class Entry(Model):
    """One task, or one family of scenes, within a section."""

    scores: dict[Who, Score]
    answers: Answers = Field(
        description="The model's, by episode or group of scenes: a character for each row, in the order of the data "
        "set; 1: correct, 0: wrong, x: it could not be answered. Empty if it was not asked."
    )


class Section(Model):
    """One form of question about one part of the suite."""

    part: str = Field(description="usual, the name of a shift, or scenes.")
    form: FormName
    why: str | None = Field(description="Why the model has no score here; null if it has.")
    fingerprint: str = Field(description="SHA-256 of what is shown and asked; cards with the same one can be paired.")
    scores: dict[Who, Score] = Field(description="Means over the tasks, each of which counts alike.")
    tasks: dict[str, Entry] = Field(description="By task; of scenes, by family.")

    @property
    def key(self) -> tuple[str, FormName]:
        """What it is known by on every card."""
        return self.part, self.form

    @property
    def failed(self) -> int:
        """Rows that could not be answered."""
        return sum(line.count(NOT_ANSWERED) for entry in self.tasks.values() for line in entry.answers.values())


class Card(Model):
    """``card.json``: a model's score card."""

    kind: Literal["hpvqa-suite-card"] = "hpvqa-suite-card"
    schema_version: Literal[1] = 1
    suite: str = Field(description="Version and size of the suite.")
    digest: str = Field(description="SHA-256 of its plans.")
    model: str
    backend: str
    details: dict[str, JsonValue] = Field(description="Everything else that its answers depend on.")
    privileged: bool = Field(description="Whether it uses what a camera does not see.")
    headline: Score | None = Field(description=f"{HEADLINE} Null: it answered none.")
    sections: tuple[Section, ...]
    notes: tuple[str, ...] = Field(description="What a reader should know, in sentences.")
    versions: dict[str, str] = Field(description="What the suite was rendered with.")
    created: str = Field(description="When the card was made, UTC.")

    @property
    def failed(self) -> int:
        """Rows that could not be answered."""
        return sum(section.failed for section in self.sections)


def score(answers: Answers) -> Score | None:
    """The score of some answers; None of none.

    Args:
        answers: By episode.
    """
    rows = [(name, mark == "1") for name, line in answers.items() for mark in line if mark != NOT_ANSWERED]
    return share_of([correct for _, correct in rows], [name for name, _ in rows])


def share_of(correct: Sequence[bool], clusters: Sequence[str]) -> Score | None:
    """A share with its interval over clusters; None of no rows.

    Args:
        correct: One a row.
        clusters: The cluster of each row.
    """
    found = accuracy_interval(correct, clusters)
    if found is None:
        return None
    share = sum(correct) / len(correct)
    return Score(share=share, low=found.low, high=found.high, rows=len(correct), episodes=len(set(clusters)))


def mean(scores: Sequence[Score]) -> Score | None:
    """The mean of scores of different episodes, each of which counts alike; None of none."""
    if not scores:
        return None
    rows, episodes = (sum(getattr(one, name) for one in scores) for name in ("rows", "episodes"))
    # Exact, whatever their order.
    share = math.fsum(one.share for one in scores) / len(scores)
    if any(one.low is None for one in scores):
        return Score(share=share, rows=rows, episodes=episodes)
    found = means_interval([(one.share, one.interval) for one in scores])
    return Score(share=share, low=found.low, high=found.high, rows=rows, episodes=episodes)


def means(tasks: Mapping[str, Entry]) -> dict[Who, Score]:
    """For everybody who has a score for every task, the mean of them."""
    found = {who: mean([entry.scores[who] for entry in tasks.values() if who in entry.scores]) for who in WHO}
    everywhere = [who for who in WHO if all(who in entry.scores for entry in tasks.values())]
    return {who: one for who in everywhere if (one := found[who]) is not None}


def read_card(path: Path) -> Card:
    """Read a card.

    Args:
        path: The file, or the folder that it lies in.

    Raises:
        UsageError: There is none, or it is damaged or of another version.
    """
    file = path / CARD_FILE if path.is_dir() else path
    try:
        return Card.model_validate_json(read_bytes(file))
    except (FileNotFoundError, NotADirectoryError):
        raise UsageError(f"{path} holds no score card; make one with `hpvqa suite run --out {path}`") from None
    except ValidationError as error:
        raise UsageError(f"{file} is no score card, or a damaged one ({explain(error)})") from None
