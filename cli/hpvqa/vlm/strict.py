"""A word or a number in what was said, read strictly.

Exports carry these lines along, together with :mod:`hpvqa.vlm.thoughts`: they need nothing else of hpvqa.
"""

from __future__ import annotations

import math
import re
from collections.abc import Sequence
from typing import TypeVar

from hpvqa.vlm.thoughts import spoken

S = TypeVar("S", bound=str)
"""The words of answers."""

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


def parse_choice(text: str, choices: Sequence[S], *, cut: bool = False) -> S | None:
    """The choice that a text names, in any case and between any punctuation; None if it names several, or none.

    Thoughts do not count, and a text that ends within them names nothing.

    Args:
        text: What was said.
        choices: The words to choose from.
        cut: Whether more would have been said: then only a choice at the very beginning counts.
    """
    said = spoken(text)
    if said is None or (cut and not begins_with_choice(said, choices)):
        return None
    named = {word for word in choices if re.search(rf"(?<!\w){re.escape(word)}(?!\w)", said, re.IGNORECASE)}
    return named.pop() if len(named) == 1 else None


def begins_with_choice(text: str, choices: Sequence[S]) -> bool:
    """Whether a text begins with a choice that stands by itself: ``Left.``, but not ``The left`` or ``Left cube``."""
    words = "|".join(map(re.escape, choices))
    return re.match(rf"\W*({words})(?=\s*(\n|$|[^\w\s-]))", text, re.IGNORECASE) is not None


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
