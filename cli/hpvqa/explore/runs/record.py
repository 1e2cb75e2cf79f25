"""What is written down of a scene that was played: a line of JSON for each step, and a last one that seals them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from pydantic import Field, ValidationError

from hpvqa.errors import RunError
from hpvqa.explore.questions import Form
from hpvqa.explore.scene import Action, Family
from hpvqa.files import read_bytes, write_text
from hpvqa.plain import Model, explain

PLAYED_VERSION: Literal[1] = 1


class OptionRecord(Model):
    """Something that could be chosen."""

    letter: str
    text: str
    action: Action


class Truth(Model):
    """What only an ideal observer and whoever drew the scene know at a step, before its choice."""

    entropy: float = Field(description="Of the answer, of an ideal observer [bit].")
    sufficient: bool = Field(description="Whether the answer follows from what was seen.")
    posterior: dict[str, float] = Field(description="How likely each answer is that is still possible.")
    gains: dict[str, float] = Field(description="Expected information in each action, by its letter [bit].")
    values: dict[str, float] = Field(
        description="The same an action, along the best way that begins with it [bit an action]."
    )
    best: tuple[str, ...] = Field(description="Letters of the actions of the highest value; none if sufficient.")
    revealed: tuple[str, ...] = Field(default=(), description="Places that the choice brought into view at last.")
    unhidden: tuple[str, ...] = Field(
        default=(), description="Those of them where there is something that the question asks about."
    )


class StepRecord(Model):
    """One step. All but ``privileged`` is what the agent saw, said and was told."""

    step: int
    given: bool = Field(default=False, description="Whether it was done for the agent, by an ideal observer.")
    view: str = Field(description="Where the viewer stood, in words.")
    shot: str | None = Field(
        pattern="^[0-9a-f]{64}$", description="SHA-256 of the newest picture, a file in shots/; null: none was shown."
    )
    facts: str = Field(default="", description="What was shown in words in its place.")
    options: tuple[OptionRecord, ...]
    letter: str | None = Field(description="The choice; null where none was valid.")
    error: str | None = None
    logprobs: dict[str, float] | None = None
    thought: str = ""
    tokens: int | None = None
    seconds: float = 0.0
    mishap: str | None = Field(default=None, description="What went wrong with the robot after the choice.")
    robot_seconds: float = Field(default=0.0, description="How long the robot was at work then [s].")
    cpu_seconds: float = Field(default=0.0, description="What it took to simulate and to draw [s].")
    privileged: Truth

    @property
    def chosen(self) -> OptionRecord | None:
        """The choice; None where none was valid."""
        return next((option for option in self.options if option.letter == self.letter), None)

    @property
    def answers(self) -> bool:
        """Whether the choice is an answer."""
        return self.chosen is not None and self.chosen.action.kind == "answer"


class Ending(Model):
    """The last line: what scene it was, and how it ended."""

    schema_version: Literal[1] = PLAYED_VERSION
    key: str
    scene: str = Field(description="Checksum of the scene.")
    family: Family
    type: str
    held_out: bool
    form: Form
    index: int
    group: int
    twin: int
    sufficient: bool = Field(description="Whether the first view suffices.")
    planned: int = Field(description="Decisions of an ideal observer, the answer included.")
    question: str
    answer: str = Field(description="The true one.")
    said: str | None = Field(description="The given one; null where there is none.")
    lines: str = Field(default="", description="SHA-256 of all lines before this one.")


@dataclass(frozen=True)
class Played:
    """A scene that was played.

    Attributes:
        ending: What scene it was, and how it ended.
        steps: Its steps, at least one.
    """

    ending: Ending
    steps: tuple[StepRecord, ...]

    @property
    def decisions(self) -> tuple[StepRecord, ...]:
        """The steps that the agent itself decided."""
        return tuple(step for step in self.steps if not step.given)

    @property
    def correct(self) -> bool:
        """Whether the given answer is the true one."""
        return self.ending.said == self.ending.answer

    @property
    def cluster(self) -> tuple[str, int]:
        """The group that it belongs to: the same layout and question."""
        return (self.ending.family, self.ending.group)


def played_file(run: Path, key: str) -> Path:
    """Where a scene lies inside of a run's folder."""
    return run / "scenes" / key / "steps.jsonl"


def write_played(path: Path, steps: Sequence[StepRecord], ending: Ending) -> None:
    """Write a scene whole, or not at all.

    Raises:
        RunError: The disk does not take it.
    """
    lines = "".join(step.model_dump_json() + "\n" for step in steps)
    sealed = ending.model_copy(update={"lines": hashlib.sha256(lines.encode()).hexdigest()})
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, lines + sealed.model_dump_json() + "\n")


def read_played(path: Path) -> Played | None:
    """Read a scene; None where it was not played.

    Raises:
        RunError: The file is damaged, or was altered.
    """
    try:
        data = read_bytes(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    *lines, last = data.splitlines(keepends=True) or [b""]
    try:
        ending = Ending.model_validate_json(last)
        if ending.lines != hashlib.sha256(b"".join(lines)).hexdigest() or not lines:
            raise RunError(f"{path} was altered; delete its folder, and run the same command again")
        return Played(ending, tuple(StepRecord.model_validate_json(line) for line in lines))
    except ValidationError as error:
        raise RunError(
            f"{path} is damaged ({explain(error)}); delete its folder, and run the same command again"
        ) from None
