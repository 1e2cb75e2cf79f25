"""How scenes are played: by oneself or after another, with pictures, with text, or with nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hpvqa.errors import UsageError, nearest
from hpvqa.explore.protocol import Option

Shown = Literal["pictures", "facts", "nothing"]


@dataclass(frozen=True)
class Condition:
    """How scenes are played.

    Attributes:
        name: What it is called.
        description: The same in a sentence.
        shown: What the agent sees.
        acts: Whether it may act; else it must answer at once.
        given: Whether all that an ideal observer does has been done before.
        rotated: Whether each option has the next letter.
    """

    name: str
    description: str
    shown: Shown = "pictures"
    acts: bool = True
    given: bool = False
    rotated: bool = False

    def options(self, options: tuple[Option, ...]) -> tuple[Option, ...]:
        """What is offered of some options, with letters from A on."""
        letters = [option.letter for option in options]
        kept = [option for option in options if self.acts or option.answers]
        letters = letters[: len(kept)]
        if self.rotated:
            letters = [*letters[1:], letters[0]]
        renamed = [Option(letter, option.text, option.action) for letter, option in zip(letters, kept, strict=True)]
        return tuple(sorted(renamed, key=lambda option: option.letter))


CONDITIONS: dict[str, Condition] = {
    condition.name: condition
    for condition in (
        Condition("active", "The agent chooses what to do, sees what comes of it, and answers."),
        Condition(
            "yoked",
            "An ideal observer has done all that is needed; the agent sees it and answers.",
            acts=False,
            given=True,
        ),
        Condition("facts", "As active, but what is to be seen is told in words.", shown="facts"),
        Condition("blind", "The agent sees nothing and must answer at once.", shown="nothing", acts=False),
        Condition("first", "The agent must answer from the first picture.", acts=False),
        Condition("rotate", "As active, but each option has the next letter.", rotated=True),
    )
}


def get_condition(name: str) -> Condition:
    """A condition by its name.

    Raises:
        UsageError: There is none; the message names the nearest one.
    """
    if name not in CONDITIONS:
        raise UsageError(f"There is no condition {name!r}; {nearest(name, CONDITIONS)}")
    return CONDITIONS[name]
