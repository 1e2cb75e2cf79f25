"""What follows from a training's job before the model's weights are loaded, whatever it is trained on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from hpvqa.finetune.ahead import Wanted
from hpvqa.finetune.examples import Lessons
from hpvqa.finetune.settings import FinetuneRecipe
from hpvqa.vlm.families import Family
from hpvqa.vlm.training_record import Record

if TYPE_CHECKING:
    from hpvqa.finetune.checkpoints import Course

Measure = Literal["first", "whole", "spoken", "loss"]
"""What counts as correct where checkpoints are compared. first: the likeliest first token; whole: the likeliest
reply; spoken: what the model decides once it has written out its thought; loss: nothing does."""


@dataclass(frozen=True)
class Made:
    """What a training has made, for the adapter's card.

    Attributes:
        out: Folder of the adapter.
        recipe: How it was trained.
        parameters: How many parameters were trained, and how many the model has with them.
        course: How it went.
        command: The command line.
    """

    out: Path
    recipe: FinetuneRecipe
    parameters: tuple[int, int]
    course: Course
    command: str


@dataclass(frozen=True)
class Prepared:
    """What is trained on what.

    Attributes:
        family: The model's family.
        record: What the adapter's folder will say.
        train: What the model is trained on.
        validation: What it is not trained on; checkpoints are chosen by it.
        rows: How many rows that is; with their flipped copies, there are more examples.
        clusters: How many episodes, or groups of scenes, the two are of.
        unit: What is counted there, in the plural.
        card: The text of the adapter's card.
        measure: What counts as correct.
        chance: The share of correct answers of a guess; None: it is not known.
        largest: Number of an example to train on that takes much memory.
        warnings: What a user should know.
        clips: What is decoded for it, training first.
    """

    family: Family
    record: Record
    train: Lessons
    validation: Lessons
    rows: int
    clusters: tuple[int, int]
    unit: str
    card: Callable[[Made], str]
    measure: Measure = "first"
    chance: float | None = None
    largest: int = 0
    warnings: tuple[str, ...] = ()
    clips: tuple[Wanted, ...] = ()
