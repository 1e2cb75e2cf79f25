"""Questions: a program over facts, its words and its answers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray
from pydantic import SerializerFunctionWrapHandler, model_serializer

from hpvqa.explore.bench.spec import Comparison
from hpvqa.explore.words import COLORS, SHAPES, SIZES, SURFACES, Attribute, Look, Shape, Size, Surface
from hpvqa.plain import Model

Form = Literal["query", "exist", "count", "compare", "math_count", "math_compare", "more", "equal", "order"]
FORMS: tuple[Form, ...] = ("query", "exist", "count", "compare", "math_count", "math_compare")
"""Of questions about what things look like; the others compare hidden properties."""
Area = Literal["all", "left", "right"]
Codes = NDArray[np.int64]

VALUES: dict[Attribute, tuple[str, ...]] = {
    "color": tuple(COLORS),
    "shape": SHAPES,
    "size": SIZES,
    "surface": SURFACES,
}
"""What each attribute can be, in the order of the answers."""
NOTHING = -1
"""Stands for the answer where what is asked about is not there."""
_AREAS: dict[Area, str] = {"all": "on the table", "left": "on the robot's left", "right": "on the robot's right"}


class Group(Model):
    """Which things are meant: those of an area of the table that have all of the given looks."""

    area: Area = "all"
    shape: Shape | None = None
    size: Size | None = None
    color: str | None = None
    surface: Surface | None = None

    def holds(self, look: Look | None, left: bool) -> bool:
        """Whether a thing belongs to it that looks so and stands on the robot's left, or right.

        Boards and covers belong to no group.
        """
        if look is None or look.shape not in SHAPES or (self.area != "all" and (self.area == "left") != left):
            return False
        wanted = ((self.shape, look.shape), (self.size, look.size), (self.color, look.color))
        return all(want in (None, has) for want, has in (*wanted, (self.surface, look.surface)))

    def words(self, *, many: bool) -> str:
        """What a person calls the things, without where they are: small red cubes."""
        looks = filter(None, (self.size, self.surface, self.color))
        return " ".join([*looks, (self.shape or "thing") + "s" * many])

    @property
    def where(self) -> str:
        """Where they are."""
        return _AREAS[self.area]


class Hiding(Protocol):
    """A place where something may be hidden."""

    @property
    def name(self) -> str:
        """What it is called."""

    @property
    def contents(self) -> tuple[Look | None, ...]:
        """What may be there."""

    @property
    def left(self) -> bool:
        """Whether it is on the robot's left."""


class Term(Model):
    """A number of things: those of a group that are not in another one, and some more."""

    group: Group
    without: Group | None = None
    plus: int = 0

    def counts(self, look: Look | None, left: bool) -> bool:
        """Whether it counts a thing that looks so and stands on the robot's left, or right."""
        return self.group.holds(look, left) and not (self.without is not None and self.without.holds(look, left))


class Program(Model):
    """What is asked, as a function of facts.

    A query asks for an attribute of the only thing of a group, and compare with an attribute whether it is the same for
    the only things of two. All else compares numbers: whether there is one (exist), how many there are (count,
    math_count), or which of two is larger (compare, math_compare); or it compares a hidden property of things, and then
    counts nothing.
    """

    form: Form
    attribute: Attribute | None = None
    terms: tuple[Term, ...] = ()
    compared: Comparison | None = None

    @model_serializer(mode="wrap")
    def _as_ever(self, write: SerializerFunctionWrapHandler) -> dict[str, Any]:
        """Where no property is compared nothing is written of that: so programs have always been."""
        data: dict[str, Any] = write(self)
        if self.compared is None:
            del data["compared"]
        return data

    def codes(self, items: Sequence[tuple[Look, bool]], places: Sequence[Hiding], worlds: NDArray[np.int64]) -> Codes:
        """The answers in many worlds, as numbers, shape (n,); see ``word``.

        Args:
            items: How each thing looks that is there in every world, and whether it is on the robot's left.
            places: What may be at each place.
            worlds: What is at each place, by its number among what may be there, shape (n, places).
        """
        counts = [_count(term, items, places, worlds) for term in self.terms]
        if self.attribute is not None:
            values = [_count(term, items, places, worlds, self._value) for term in self.terms]
            answers = values[0] if self.form == "query" else (values[0] == values[1]).astype(np.int64)
            return np.asarray(np.where((np.stack(counts) == 1).all(axis=0), answers, NOTHING))
        if self.form == "exist":
            return (counts[0] > 0).astype(np.int64)
        if self.form in ("count", "math_count"):
            return counts[0]
        return np.asarray(np.sign(counts[0] - counts[1]) + 1)

    def marks(self, look: Look | None, left: bool) -> tuple[int, ...]:
        """All of what is at a place that the answer depends on: 0 for each term that does not count it."""
        value = self._value if self.attribute is not None else lambda look: 0
        return tuple(value(look) + 1 if look is not None and term.counts(look, left) else 0 for term in self.terms)

    def _value(self, look: Look) -> int:
        """The number of the answer that a thing stands for which is asked about."""
        assert self.attribute is not None  # noqa: S101 - else nothing is asked of a thing
        return VALUES[self.attribute].index(getattr(look, self.attribute))

    def word(self, code: int) -> str:
        """The answer that a number stands for."""
        if self.compared is not None:
            return self.compared.word(code)
        if self.form == "query":
            assert self.attribute is not None  # noqa: S101 - a query has one
            return VALUES[self.attribute][code]
        if self.form == "exist" or self.attribute is not None:
            return ("no", "yes")[code]
        if self.form in ("count", "math_count"):
            return str(code)
        second, first = (self._side(number) for number in (1, 0))
        return (f"more {second}", "equally many", f"more {first}")[code]

    def _side(self, number: int) -> str:
        """What a person calls one of two numbers of things."""
        groups = [term.group for term in self.terms]
        where = f" {groups[number].where}" if groups[0].area != groups[1].area else ""
        return groups[number].words(many=True) + where

    def text(self) -> str:
        """The question."""
        if self.compared is not None:
            return self.compared.text()
        first = self.terms[0]
        area = f" {first.group.where}"
        word = {"color": "colour"}.get(self.attribute or "", self.attribute)
        if self.form == "compare" and word is not None:
            both = " and ".join(f"exactly one {term.group.words(many=False)}" for term in self.terms)
            return f"There is {both}{area}. Do they have the same {word}?"
        if self.form == "query":
            asks = f"Is it {' or '.join(SURFACES)}?" if word == "surface" else f"What {word} is it?"
            return f"There is exactly one {first.group.words(many=False)}{area}. {asks}"
        if self.form == "exist":
            return f"Is there a {first.group.words(many=False)}{area}?"
        if self.form == "count":
            return f"How many {first.group.words(many=True)} are there{area}?"
        if first.without is not None:
            change = f"If all {first.without.words(many=True)} were taken away"
        else:
            change = f"If {first.plus} more {first.group.words(many=first.plus > 1)} were put there"
        if self.form == "math_count":
            return f"{change}, how many {first.group.words(many=True)} would there be{area}?"
        both = f"more {self._side(0)} or more {self._side(1)}"
        area = area if first.group.area == self.terms[1].group.area else ""
        if self.form == "compare":
            return f"Are there {both}{area}, or equally many?"
        return f"{change}, would there be {both}{area}, or equally many?"


def _count(
    term: Term,
    items: Sequence[tuple[Look, bool]],
    places: Sequence[Hiding],
    worlds: NDArray[np.int64],
    value: Callable[[Look], int] = lambda look: 1,
) -> Codes:
    """The sum of a value of all things that a term means, in each world."""

    def worth(look: Look | None, left: bool) -> int:
        return value(look) if look is not None and term.counts(look, left) else 0

    total = np.full(len(worlds), term.plus + sum(worth(look, left) for look, left in items))
    for number, place in enumerate(places):
        total = total + np.array([worth(look, place.left) for look in place.contents])[worlds[:, number]]
    return total
