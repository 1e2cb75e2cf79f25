"""A layout with what is seen of it from everywhere, and the ways in which a scene may begin there."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np

from hpvqa.explore.belief.posterior import all_worlds
from hpvqa.explore.graph import Graph
from hpvqa.explore.layouts.layout import Layout
from hpvqa.explore.reveal import Bits, Table, allowed_masks, to_hex
from hpvqa.explore.scene import Action, Deed, Moment, View

_ACTIONS = (5, 8)
_FARTHEST = 7
"""Longest way to all that is hidden."""
_DONE = 6
"""At most so many deeds are done before a scene begins."""
Offer = tuple[Action, ...]
"""What is offered."""


class Beginning(NamedTuple):
    """What is offered at the beginning of a scene, and the numbers of the places that are seen."""

    offer: Offer
    seen: tuple[int, ...]


class Prepared:
    """A layout with what is seen of it.

    Args:
        layout: The layout.

    Attributes:
        worlds: Everything that may be hidden, shape (n, places).
        chances: How likely that is, shape (n,).

    Raises:
        ValueError: What is seen depends on what is hidden.
    """

    def __init__(self, layout: Layout) -> None:
        self.layout = layout
        self._table = Table(layout.items, layout.places, layout.deeds)
        self._bits = [[self._reveal(view, place.name) for place in layout.places] for view in layout.views]
        self._numbers = {place.name: number for number, place in enumerate(layout.places)}
        self.worlds, self.chances = all_worlds(layout.places, {})

    def _reveal(self, view: View, place: str) -> Bits:
        bits = self._table.reveal(view, place)
        if bits is None:
            raise ValueError("what is seen depends on what is hidden")
        return bits

    def places(self, offer: Offer) -> list[int]:
        """Numbers of the places whose contents are offered to be taken."""
        return [self._numbers[action.target] for action in offer if action.target in self._numbers]

    @cached_property
    def beginnings(self) -> Mapping[Beginning, Sequence[Moment]]:
        """The moments with which a scene may begin, by what is offered and seen: from any view, some deeds done."""
        found: dict[Beginning, list[Moment]] = {}
        allowed = np.flatnonzero(allowed_masks(self.layout.deeds)).tolist()
        sets = [tuple(number for number in range(len(self.layout.deeds)) if mask >> number & 1) for mask in allowed]
        for view in range(len(self.layout.views)):
            for start in (Moment(view=view, done=done) for done in sets if len(done) <= _DONE):
                offer = self.graph.offered(start)
                if _ACTIONS[0] <= len(offer) <= _ACTIONS[1] and self._all_there(start):
                    found.setdefault(Beginning(offer, tuple(sorted(self.graph.revealed(start)))), []).append(start)
        # Only what is offered in several ways can be offered to twins and where the first view suffices.
        counts = Counter(way.offer for way in found)
        return {way: moments for way, moments in found.items() if counts[way.offer] > 1}

    @cached_property
    def alike(self) -> Mapping[Offer, Sequence[Beginning]]:
        """The ways to begin, by what is offered."""
        found: dict[Offer, list[Beginning]] = {}
        for way in self.beginnings:
            found.setdefault(way.offer, []).append(way)
        return found

    def actions(self, way: Beginning, places: Collection[int]) -> int:
        """How many actions it takes at least to see some places, of one way to begin."""
        reach = self.graph.reach(self.beginnings[way][0], _FARTHEST)
        wanted = set(places) - set(way.seen)
        return min((length for seen, length in reach.items() if wanted <= seen), default=_FARTHEST + 1)

    def _all_there(self, start: Moment) -> bool:
        """Whether everything hidden that was taken away already is seen."""
        shown, deeds = self._shown[start.view], self.layout.deeds
        return all(bool(shown[number][start.mask]) for number in start.done if deeds[number].thing in self._numbers)

    @cached_property
    def reveals(self) -> tuple[tuple[str, ...], ...]:
        """For each view and place, the sets of deeds in which it is seen."""
        return tuple(tuple(map(to_hex, row)) for row in self._bits)

    @cached_property
    def shows(self) -> tuple[tuple[str, ...], ...]:
        """The same for each view and the thing of each deed."""
        return tuple(tuple(map(to_hex, row)) for row in self._shown)

    @cached_property
    def graph(self) -> Graph:
        """Where scenes can go from where."""
        return Graph(self.layout.views, self.layout.deeds, self.reveals, self.shows)

    @cached_property
    def _shown(self) -> list[list[Bits]]:
        return [[self._show(number, deed) for deed in self.layout.deeds] for number in range(len(self.layout.views))]

    def _show(self, view: int, deed: Deed) -> Bits:
        place = self._numbers.get(deed.thing)
        return self._table.show(self.layout.views[view], deed.thing, None if place is None else self._bits[view][place])
