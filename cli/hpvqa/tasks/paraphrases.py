"""Other words for the questions of tasks: one YAML file a task, beside the recipes."""

from __future__ import annotations

from functools import lru_cache
from typing import Annotated, Literal

from pydantic import AfterValidator, Field

from hpvqa.plain import Model, validated
from hpvqa.resources import read_named, recipes_dir


def _names_sides(text: str) -> str:
    if not all(text.count(side) == 1 for side in ("left", "right")):
        raise ValueError("must name left and right, each once")
    return text


def _names_thing(text: str) -> str:
    if text.count("{thing}") != 1 or text.count("{") != 1:
        raise ValueError("must contain {thing} exactly once, and no other braces")
    return text


class Paraphrases(Model):
    """A file of other words."""

    compare: tuple[Annotated[str, AfterValidator(_names_sides)], ...] = Field(
        description="Which of two has more of the hidden property: the left or the right."
    )
    value: tuple[Annotated[str, AfterValidator(_names_thing)], ...] = Field(
        description="How much of it {thing} has; names the unit, and what a sign means."
    )

    def of(self, form: Literal["compare", "value"]) -> tuple[str, ...]:
        """Those of one form of question."""
        return self.compare if form == "compare" else self.value


@lru_cache
def load_paraphrases(task: str) -> Paraphrases:
    """The paraphrases that come with the package for a task; none for tasks that have no file.

    Raises:
        UsageError: The file cannot be read, or is none.
    """
    folder = recipes_dir() / "questions"
    if not (folder / f"{task}.yaml").is_file():
        return Paraphrases(compare=(), value=())
    data, source = read_named("file of questions", "question", task, folder, [task])
    return validated(Paraphrases, data, source)
