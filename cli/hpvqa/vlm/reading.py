"""From what a model says to an answer: a word, or a number in the unit that was asked for, read strictly."""

from __future__ import annotations

from typing import TypedDict

from hpvqa.scene.spec import Side
from hpvqa.vlm.protocol import Query
from hpvqa.vlm.strict import parse_choice, parse_value


class Read(TypedDict):
    """The fields of an answer that follow from what was said."""

    choice: Side | None
    value: float | None


def read(text: str, query: Query, *, cut: bool = False) -> Read:
    """What a text answers to a query.

    Args:
        text: What was said.
        query: What was asked.
        cut: Whether more would have been said.
    """
    if query.unit is not None:
        return Read(choice=None, value=parse_value(text, query.unit, cut=cut))
    return Read(choice=parse_choice(text, query.choices, cut=cut), value=None)
