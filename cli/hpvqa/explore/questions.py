"""Questions: a program over facts, its words and its answers."""

from __future__ import annotations

from typing import Literal, get_args

from hpvqa.explore.words import Attribute, Look, Shape, Size, Surface
from hpvqa.plain import Model

Form = Literal["query", "exist", "count", "compare", "math_count", "math_compare"]
FORMS: tuple[Form, ...] = get_args(Form)
Area = Literal["all", "left", "right"]


class Group(Model):
    """Which things are meant: those of an area of the table that have all of the given looks."""

    area: Area = "all"
    shape: Shape | None = None
    size: Size | None = None
    color: str | None = None
    surface: Surface | None = None

    def holds(self, look: Look, left: bool) -> bool:
        """Whether a thing belongs to it that looks so and stands on the robot's left, or right."""
        if self.area != "all" and (self.area == "left") != left:
            return False
        wanted = ((self.shape, look.shape), (self.size, look.size), (self.color, look.color))
        return all(want in (None, has) for want, has in (*wanted, (self.surface, look.surface)))


class Term(Model):
    """A number of things: those of a group that are not in another one, and some more."""

    group: Group
    without: Group | None = None
    plus: int = 0


class Program(Model):
    """What is asked, as a function of facts.

    A query asks for an attribute of what is at a place. All else compares numbers: whether there is one (exist), how
    many there are (count, math_count), or which of two is larger (compare, math_compare).
    """

    form: Form
    place: str | None = None
    attribute: Attribute | None = None
    terms: tuple[Term, ...] = ()
