"""Drawing questions about a layout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hpvqa.explore.questions import Area, Form, Group, Program, Term
from hpvqa.explore.scene import Place
from hpvqa.explore.words import Attribute, Look, Shape

_ALL = 0.45
"""How often a question is about the whole table."""
_SURFACE = 0.6
"""How often it is about surfaces in place of colours, where some of what may be hidden is chequered."""

_SAME = 0.4
"""How often attributes of two things are compared in place of numbers."""


def draw_program(form: Form, places: Sequence[Place], rng: np.random.Generator) -> Program:
    """A question of a form, about looks that every place may hold.

    Args:
        form: Its form.
        places: Where something may be hidden.
        rng: For everything that is drawn.
    """
    looks: list[set[Look]] = [{look for look in place.contents if look is not None} for place in places]
    # Where a place can hold no sphere, none is asked for: whoever cannot know that would have to look there.
    shapes: list[Shape] = [shape for shape in ("cube", "sphere", "cylinder") if all(_has(shape, one) for one in looks)]
    shape = shapes[int(rng.integers(len(shapes)))]
    values = {name: sorted({getattr(look, name) for one in looks for look in one}) for name in ("color", "surface")}
    mark: Attribute = "surface" if len(values["surface"]) > 1 and rng.random() < _SURFACE else "color"
    value, other = (values[mark][number] for number in rng.permutation(len(values[mark]))[:2])
    area = _area(places, rng)
    marked = Group.model_validate({"area": area, mark: value})
    if form == "query":
        return _query(looks[0], marked, mark, shape, rng)
    if form == "exist":
        return Program(form=form, terms=(Term(group=marked.model_copy(update={"shape": shape})),))
    if form == "count":
        return Program(form=form, terms=(Term(group=marked if rng.random() < 0.7 else Group(area=area, shape=shape)),))
    without = Group(shape=shape) if rng.random() < 0.7 else Group(size="large", shape=shape)
    if form == "math_count":
        plus = int(rng.integers(1, 4))
        term = Term(group=marked, without=without) if rng.random() < 0.5 else Term(group=marked, plus=plus)
        return Program(form=form, terms=(term,))
    if form == "compare" and rng.random() < _SAME:
        return _same(looks[0], area, shapes, (mark, value, other), rng)
    second = marked.model_copy(update={mark: other})
    if form == "compare":
        return Program(form=form, terms=(Term(group=marked), Term(group=second)))
    return Program(form=form, terms=(Term(group=marked, without=without), Term(group=second, without=without)))


def _query(looks: set[Look], marked: Group, mark: Attribute, shape: Shape, rng: np.random.Generator) -> Program:
    """Ask for the colour or surface of the only thing of a shape, or what else the only one of these is."""
    names: list[Attribute] = ["color", "shape", "surface"]
    names = [name for name in names if len({getattr(look, name) for look in looks}) > 1]
    by: Attribute = mark if rng.random() < 0.5 else "shape"
    group = marked if by == mark else Group(area=marked.area, shape=shape)
    names.remove(by)
    return Program(form="query", attribute=names[int(rng.integers(len(names)))], terms=(Term(group=group),))


def _same(
    looks: set[Look], area: Area, shapes: Sequence[Shape], marks: tuple[Attribute, str, str], rng: np.random.Generator
) -> Program:
    """Ask whether the only two things of two shapes, or of two colours or surfaces, have something else in common."""
    by: Attribute = marks[0]
    kinds: Sequence[str] = marks[1:]
    if len(shapes) > 1 and rng.random() < 0.5:
        by, kinds = "shape", [shapes[number] for number in rng.permutation(len(shapes))[:2]]
    names: list[Attribute] = ["color", "shape", "surface"]
    names = [name for name in names if name != by and len({getattr(look, name) for look in looks}) > 1]
    terms = tuple(Term(group=Group.model_validate({"area": area, by: kind})) for kind in kinds)
    return Program(form="compare", attribute=names[int(rng.integers(len(names)))], terms=terms)


def _has(shape: str, looks: set[Look]) -> bool:
    return any(look.shape == shape for look in looks)


def _area(places: Sequence[Place], rng: np.random.Generator) -> Area:
    """An area where something may be hidden; of two sides, the one with more places more often."""
    if rng.random() < _ALL:
        return "all"
    place = places[int(rng.integers(len(places)))]
    return "left" if place.left else "right"
