"""What of a scene is about experiments: those that can be made, what is read of each, and what is asked."""

from __future__ import annotations

from collections.abc import Mapping
from itertools import permutations
from typing import Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from hpvqa.explore.bench.methods import KINDS
from hpvqa.plain import Model

Property = Literal["mass", "friction", "restitution", "stiffness", "center_of_mass"]
UNREAD = -1
"""Stands for a reading where nothing could be made out."""


class Sharpness(Model):
    """How well an experiment is read from a view."""

    spread: float = Field(gt=0, description="Standard deviation of what is read, in its unit.")
    lost: float = Field(ge=0, lt=1, description="How often nothing can be made out, or what is read is far off.")


class Experiment(Model):
    """Something that can be done to a thing to find out how it is."""

    method: str = Field(description="Name of the probe.")
    thing: str = Field(description="Name of the thing.")
    readings: tuple[int, ...] = Field(
        description="What is read from each view, in steps of the method from its least reading on; -1: nothing can be "
        "made out."
    )

    @property
    def target(self) -> str:
        """What it is called as an action."""
        return f"{self.method} {self.thing}"


class Bench(Model):
    """Experiments of a scene. Before each of them, all things stand where they stood at first."""

    experiments: tuple[Experiment, ...] = Field(min_length=1)
    begun: tuple[int, ...] = Field(description="Numbers of the experiments that the first clip shows, in their order.")
    sharpness: dict[str, tuple[Sharpness, ...]] = Field(
        description="How well each method is read from each view, by its name."
    )

    def trouble(self, views: int, things: Mapping[str, str], compared: Comparison | None) -> str | None:
        """Why it does not fit a scene; None if it does.

        Args:
            views: From how many places it can be viewed.
            things: What kind each thing is, by its name.
            compared: What is asked.
        """
        counts = {len(one.readings) for one in self.experiments}
        counts |= {len(self.sharpness.get(one.method, ())) for one in self.experiments}
        if counts != {views}:
            return "bench: one reading and one sharpness for each view"
        if not all(0 <= number < len(self.experiments) for number in self.begun):
            return "bench: there is no experiment of that number"
        if not all(one.method in _methods(things.get(one.thing, "")) for one in self.experiments):
            return "bench: that experiment cannot be made with that thing"
        if compared is None or len({things.get(name) for name in compared.things}) > 1:
            return "bench: the question compares no things of one kind"
        kind = KINDS.get(things.get(compared.things[0], ""))
        return "bench: the things have no such property" if kind is None or compared.hidden not in kind.levels else None


def _methods(noun: str) -> tuple[str, ...]:
    return KINDS[noun].methods if noun in KINDS else ()


class Words(Model):
    """How a property is asked about."""

    more: str
    equal: str
    order: str


WORDS: dict[Property, Words] = {
    "mass": Words(more="heavier", equal="equally heavy", order="from the lightest to the heaviest"),
    "friction": Words(more="rougher", equal="equally rough", order="from the smoothest to the roughest"),
    "restitution": Words(more="bouncier", equal="equally bouncy", order="from the least to the most bouncy"),
    "stiffness": Words(more="stiffer", equal="equally stiff", order="from the softest to the stiffest"),
    "center_of_mass": Words(
        more="balanced further to the left",
        equal="balanced alike",
        order="from the one balanced furthest to the right to the one balanced furthest to the left",
    ),
}


class Comparison(Model):
    """A question about a hidden property of two or three things: which has more, are both alike, or in what order?"""

    form: Literal["more", "equal", "order"]
    hidden: Property
    things: tuple[str, ...] = Field(min_length=2, max_length=3, description="Names of the things.")
    names: tuple[str, ...] = Field(description="What a person calls them.")

    def codes(self, values: NDArray[np.int64]) -> NDArray[np.int64]:
        """The answers, as numbers, shape (n,); -1 where there is none, for two that should be ordered are alike.

        Args:
            values: Which of its possible values each thing has, ascending, shape (n, things).
        """
        if self.form == "equal":
            return np.asarray(values[:, 0] == values[:, 1], np.int64)
        if self.form == "more":
            return np.asarray(np.sign(values[:, 1] - values[:, 0]) + 1)
        order = {ranks: number for number, ranks in enumerate(self._orders)}
        ranked = [tuple(sorted(range(len(row)), key=row.__getitem__)) for row in values.tolist()]
        found = [
            order[ranks] if len(set(row)) == len(row) else -1
            for ranks, row in zip(ranked, values.tolist(), strict=True)
        ]
        return np.array(found, np.int64)

    @property
    def _orders(self) -> list[tuple[int, ...]]:
        return list(permutations(range(len(self.things))))

    def word(self, code: int) -> str:
        """The answer that a number stands for."""
        if self.form == "equal":
            return ("no", "yes")[code]
        if self.form == "more":
            return (self.names[0], WORDS[self.hidden].equal, self.names[1])[code]
        return ", ".join(self.names[number] for number in self._orders[code])

    def text(self) -> str:
        """The question."""
        words, names = WORDS[self.hidden], [f"the {name}" for name in self.names]
        if self.form == "equal":
            return f"Are {names[0]} and {names[1]} {words.equal}?"
        if self.form == "more":
            return f"Which is {words.more}, {names[0]} or {names[1]}, or are they {words.equal}?"
        return f"Order {names[0]}, {names[1]} and {names[2]} {words.order}."
