"""Drawing questions about a layout."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from hpvqa.explore.questions import Area, Form, Group, Program, Term
from hpvqa.explore.scene import Place
from hpvqa.explore.words import Attribute, Shape

_ALL = 0.7
"""How often a question is about the whole table."""


def draw_program(form: Form, places: Sequence[Place], rng: np.random.Generator) -> Program:
    """A question of a form, about looks that every place may hold.

    Args:
        form: Its form.
        places: Where something may be hidden.
        rng: For everything that is drawn.
    """
    looks = [{look for look in place.contents if look is not None} for place in places]
    # Where a place can hold no sphere, none is asked for: whoever cannot know that would have to look there.
    shapes: list[Shape] = [shape for shape in ("cube", "sphere", "cylinder") if all(_has(shape, one) for one in looks)]
    colors = sorted({look.color for one in looks for look in one})
    shape = shapes[int(rng.integers(len(shapes)))]
    color, other = (colors[number] for number in rng.permutation(len(colors))[:2])
    area = _area(places, rng)
    if form == "query":
        return _query(area, shape, color, len({look.shape for look in looks[0]}), rng)
    if form == "exist":
        return Program(form=form, terms=(Term(group=Group(area=area, shape=shape, color=color)),))
    group = Group(area=area, color=color) if rng.random() < 0.7 else Group(area=area, shape=shape)
    if form == "count":
        return Program(form=form, terms=(Term(group=group),))
    without = Group(shape=shape) if rng.random() < 0.7 else Group(size="large", shape=shape)
    group = Group(area=area, color=color)
    if form == "math_count":
        plus = int(rng.integers(1, 4))
        term = Term(group=group, without=without) if rng.random() < 0.5 else Term(group=group, plus=plus)
        return Program(form=form, terms=(term,))
    second = Group(area=area, color=other)
    if form == "compare":
        return Program(form=form, terms=(Term(group=group), Term(group=second)))
    return Program(form=form, terms=(Term(group=group, without=without), Term(group=second, without=without)))


def _query(area: Area, shape: Shape, color: str, shapes: int, rng: np.random.Generator) -> Program:
    """Ask for the colour of the only thing of a shape, or for the shape of the only one of a colour."""
    attribute: Attribute = "color" if shapes < 2 or rng.random() < 0.6 else "shape"
    group = Group(area=area, shape=shape) if attribute == "color" else Group(area=area, color=color)
    return Program(form="query", attribute=attribute, terms=(Term(group=group),))


def _has(shape: str, looks: set) -> bool:  # type: ignore[type-arg]
    return any(look.shape == shape for look in looks)


def _area(places: Sequence[Place], rng: np.random.Generator) -> Area:
    """An area where something may be hidden; of two sides, the one with more places more often."""
    if rng.random() < _ALL:
        return "all"
    place = places[int(rng.integers(len(places)))]
    return "left" if place.left else "right"
