"""What a model is told at a turn, and how its reply is read."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Collection

from hpvqa.explore.protocol import Brief, Turn
from hpvqa.vlm.thoughts import spoken

SYSTEM = (
    "You see a table with a robot arm through a viewer that can move. Some things may be hidden. As long as what you "
    "have seen does not suffice to answer the question for certain, choose the action that tells you most about the "
    "answer. Once it suffices, answer."
)
LETTER_ALONE = "Choose one option. Reply with its letter alone."
MAY_THINK = (
    "Choose one option. You may think first, between <think> and </think>. Then write the letter of your choice: "
    "<answer>B</answer>, or <action>B</action>."
)
_LEFT = "Decisions left, the answer included: "
_OFFERED = re.compile(r"^([A-Z]): ", re.MULTILINE)
_TAG = re.compile(r"<(answer|action)>(.*?)</\1>", re.IGNORECASE | re.DOTALL)
_LETTER = re.compile(r"\W*([A-Za-z])\W*")
HASH = hashlib.sha256("\0".join((SYSTEM, LETTER_ALONE, MAY_THINK)).encode()).hexdigest()
"""Of the words that are always the same."""


def ask(turn: Turn, *, thinks: bool) -> str:
    """What stands after the pictures.

    Args:
        turn: The turn.
        thinks: Whether the model may think before it chooses.
    """
    lines = [*told(turn.brief), *(line for number in range(len(turn.shots)) for line in shown(turn, number))]
    for number, step in enumerate(turn.history, 1):
        if step.chosen is None:
            lines.append(f"Decision {number} was no valid choice.")
        elif step.mishap:
            lines.append(f"{step.chosen.text}: {step.mishap}.")
    return "\n".join([*lines, *offered(turn), MAY_THINK if thinks else LETTER_ALONE])


def told(brief: Brief) -> list[str]:
    """Lines that say what an agent is told of a scene."""
    return [brief.rules, f"Question: {brief.question}"]


def shown(turn: Turn, number: int) -> list[str]:
    """Lines that say what one of the pictures of a turn is, counted from 0."""
    shot = turn.shots[number]
    after = f" after: {shot.after}" if shot.after else ", the first view"
    kind = "View" if not shot.image.size else "Picture" if shot.before is None else "Clip"
    line = f"{kind} {number + 1}{after}; the viewer stands at {shot.view}."
    return [line, shot.facts] if shot.facts else [line]


def offered(turn: Turn) -> list[str]:
    """Lines that say what can be chosen."""
    options = [f"{option.letter}: {option.text}" for option in turn.options]
    return [f"{_LEFT}{turn.steps_left}", *options]


def silent(text: str) -> str:
    """What stands after the pictures where a model may not think, from what stands there where it may."""
    return text.removesuffix(MAY_THINK) + LETTER_ALONE


def letters_in(text: str) -> tuple[str, ...]:
    """The letters of what can be chosen, from what stands after the pictures; none where nothing can."""
    return tuple(_OFFERED.findall(text.rpartition(f"\n{_LEFT}")[2])) if f"\n{_LEFT}" in text else ()


def read_letter(text: str, letters: Collection[str]) -> str | None:
    """The letter that a reply chooses; None if it chooses none, or several.

    Thoughts do not count, and a reply that ends within one chooses nothing. Then the paper's three formats are
    understood: ``<answer>B</answer>``, ``<action>B</action>``, each anywhere in the reply, and a bare letter, which
    must be all that is said. The letter alone decides whether it is an answer or an action.

    Args:
        text: The reply.
        letters: What can be chosen.
    """
    said = spoken(text)
    if said is None:
        return None
    tagged = [found[2] for found in _TAG.finditer(said)]
    matches = [_LETTER.fullmatch(part) for part in tagged or [said]]
    named = {match[1].upper() if match else "" for match in matches}
    return next(iter(named)) if len(named) == 1 and named <= set(letters) else None
