"""The parts of a sentence that say a fact: how each is written, and how it is read again."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from hpvqa.explore.words import COLORS, HIDER_COLORS, SHAPES, SIZES, SURFACES, Look, with_article

Box = tuple[float, float, float, float]
"""Left, upper, right and lower edge, in widths and heights of the picture."""
NOTHING = "nothing"

_SHAPES = (*SHAPES, "board", "cover", "panel")
_LOOK = rf"(?:(?:{'|'.join(SIZES)}) )?(?:chequered )?(?:{'|'.join(COLORS | HIDER_COLORS)}) (?:{'|'.join(_SHAPES)})"
_BEGIN = r"(?:under|beneath|behind|at|beyond)"
_PLACE = rf"{_BEGIN} the [a-z ]+?(?:, seen by the robot)?"
_QUOTED = r'"[^"]+"'
_NUMBER = r"\d\.\d{3}"
_BOX = rf"bbox_2d\({_NUMBER},{_NUMBER},{_NUMBER},{_NUMBER}\)"
_LIST = r"(?:, {0})*(?: {1} {0})?"


@dataclass(frozen=True)
class Field:
    """One kind of part.

    Attributes:
        pattern: What it looks like, a regular expression without groups that count.
        write: From a value to words.
        read: Back again.
    """

    pattern: str
    write: Callable[[Any], str]
    read: Callable[[str], Any]


def listed(words: Sequence[str], last: str) -> str:
    """Words with commas between them and another word before the last: a, b and c."""
    return f" {last} ".join(filter(None, (", ".join(words[:-1]), words[-1])))


def _places(text: str) -> tuple[str, ...]:
    return tuple(re.split(rf"(?:, | and )(?={_BEGIN} the )", text))


def _answers(text: str) -> tuple[str, ...]:
    return tuple(found[1:-1] for found in re.findall(_QUOTED, text))


def _box(text: str) -> Box | None:
    numbers = [float(number) for number in re.findall(_NUMBER, text)]
    return (numbers[0], numbers[1], numbers[2], numbers[3]) if numbers else None


def _at(box: Box | None) -> str:
    return "" if box is None else f" at {written(box)}"


def written(box: Box) -> str:
    """A box in words: bbox_2d(0.250,0.500,0.375,0.625)."""
    return f"bbox_2d({','.join(f'{edge:.3f}' for edge in box)})"


def _kinds(looks: frozenset[str]) -> str:
    """What may be at a place; where all combinations of some properties may be, they are not written one by one."""
    things = looks - {NOTHING}
    parts = [_parts(thing) for thing in things]
    sets = [sorted({part[number] for part in parts}, key=_ORDER.index) for number in range(4)]
    if len(parts) > 1 and len(things) == len(list(product(*sets))):
        size, surface, color, shape = (" or ".join(words) for words in sets)
        words = [f"any {size} {shape} that is {surface} and {color}"]
    else:
        words = [with_article(thing) for thing in sorted(things)]
    end = [NOTHING] if NOTHING in looks else []
    # What may be instead of many things must not be read as one more of their colours.
    return ", or ".join([*words, *end]) if words[:1] and words[0].startswith("any ") else listed([*words, *end], "or")


def _parts(look: str) -> tuple[str, str, str, str]:
    size, *middle, color, shape = look.split()
    return size, middle[0] if middle else SURFACES[0], color, shape


_ORDER = [*SIZES, *SURFACES, *COLORS, *SHAPES]
_WORDS = rf"(?:{'|'.join(_ORDER)})"
_SOME = rf"{_WORDS}(?: or {_WORDS})*"
_ANY = rf"any {_SOME} {_SOME} that is {_SOME} and {_SOME}"
_ONE = rf"(?:{_ANY}|an? {_LOOK}|{NOTHING})"


def _read_kinds(text: str) -> frozenset[str]:
    found = set(re.findall(rf"\ban? ({_LOOK})", text))
    for words in re.findall(_ANY, text):
        thing, looks = words.removeprefix("any ").split(" that is ")
        surfaces, colors = (part.split(" or ") for part in looks.split(" and "))
        split = re.fullmatch(rf"({_SOME}) ({_SOME})", thing)
        assert split is not None  # noqa: S101 - the pattern that found it has two parts
        for size, shape, surface, color in product(split[1].split(" or "), split[2].split(" or "), surfaces, colors):
            found.add(Look.model_validate({"shape": shape, "size": size, "color": color, "surface": surface}).words)
    return frozenset(found | ({NOTHING} if re.search(rf"\b{NOTHING}\b", text) else set()))


def _same(text: str) -> str:
    return text


FIELDS: dict[str, Field] = {
    "look": Field(rf"an? {_LOOK}", with_article, lambda text: text.partition(" ")[2]),
    "spot": Field(r"(?:on the robot's (?:left|right)|put aside|moved sideways)", _same, _same),
    "at": Field(rf"(?: at {_BOX})?", _at, _box),
    "picture": Field(r"(?:picture|view) [1-9]\d?", _same, _same),
    "place": Field(_PLACE, _same, _same),
    "places": Field(_PLACE + _LIST.format(_PLACE, "and"), lambda places: listed(places, "and"), _places),
    "kinds": Field(_ONE + _LIST.format(_ONE, "or").replace("(?: or", "(?:,? or"), _kinds, _read_kinds),
    "hider": Field(rf"(?:the {_LOOK}|the edge of the picture)", _same, _same),
    "answer": Field(_QUOTED, '"{}"'.format, lambda text: text[1:-1]),
    "answers": Field(
        _QUOTED + _LIST.format(_QUOTED, "or"), lambda words: listed([f'"{word}"' for word in words], "or"), _answers
    ),
    "letter": Field(r"[A-Z]", _same, _same),
    "text": Field(r"[A-Z][^–]+?", _same, _same),
    "gain": Field(r"(?:none|some|most)", _same, _same),
    "why": Field(r".+?", _same, _same),
    "number": Field(r"\d+", str, int),
    "group": Field(r"[a-z][a-z' ]+?", _same, _same),
}
"""By the names that phrases give them."""
