"""From what a model says to an answer: a word, or a number in the unit that was asked for, read strictly."""

from __future__ import annotations

import math
import re
from typing import TypedDict

from hpvqa.scene.spec import Side
from hpvqa.vlm.protocol import Query
from hpvqa.vlm.scoring import parse_choice
from hpvqa.vlm.thoughts import spoken

UNITS = {
    "kg": ("kg", "kgs", "kilogram", "kilograms", "kilogramme", "kilogrammes"),
    "g": ("g", "gram", "grams"),
    "m": ("m", "metre", "metres", "meter", "meters"),
    "cm": ("cm", "centimetre", "centimetres", "centimeter", "centimeters"),
    "mm": ("mm", "millimetre", "millimetres", "millimeter", "millimeters"),
    "N/m": ("n/m", "newton per metre", "newtons per metre", "newton per meter", "newtons per meter"),
    "": (),
}
"""How each unit may be written, in small letters; one that is not here is written as it is."""

_MINUS = str.maketrans({"−": "-", "–": "-"})


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


def parse_value(text: str, unit: str, *, cut: bool = False) -> float | None:
    """The number that a text consists of, with its unit or without; None if it says anything else.

    ``3.2``, ``3.2 kg.`` and ``3.2 Kilograms`` are 3.2 kg; ``about 3``, ``3-4 kg``, ``3,2`` and ``3200 g`` are nothing.
    Thoughts do not count, and a text that ends within them says nothing.

    Args:
        text: What was said.
        unit: The unit that was asked for; empty for a plain number.
        cut: Whether more would have been said: then the number may not be whole.
    """
    said = spoken(text)
    if said is None or cut:
        return None
    written = "|".join(map(re.escape, sorted(UNITS.get(unit, (unit.lower(),)), key=len, reverse=True)))
    found = re.fullmatch(
        rf"\s*([+-]?(?:\d{{1,12}}(?:\.\d{{1,12}})?|\.\d{{1,12}}))(?:\s*(?:{written}))?\s*\.?\s*",
        said.translate(_MINUS),
        re.IGNORECASE | re.ASCII,
    )
    value = None if found is None else float(found[1])
    return value if value is not None and math.isfinite(value) else None
