"""What is seen from each view once some deeds are done, whatever is hidden; and whether that can be said at all."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import product
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.rays import Body, Sight, bodies
from hpvqa.explore.scene import Deed, Item, Place, View
from hpvqa.scene.spec import Thing

SEEN_SHARE = 0.35
"""At least so much of a thing's pixels must be seen for it to count as seen, and"""
SEEN_PIXELS = 60
"""so many of them, whatever else may be there."""
SLACK = 0.003
"""To count as hidden, a thing must be so even if it were larger by this on every side [m]."""
SHOWN_SHARE = 0.25
"""A thing is named in an action if so much of it is seen, whatever is hidden."""

Bits = NDArray[np.bool_]
"""One for each set of done deeds."""


def allowed_masks(deeds: Sequence[Deed]) -> Bits:
    """The sets of deeds that can have been done: what must be done before is."""
    masks = np.arange(1 << len(deeds))
    allowed = np.ones(len(masks), bool)
    for number, deed in enumerate(deeds):
        for before in deed.after:
            allowed &= ~((masks >> number & 1 == 1) & (masks >> before & 1 == 0))
    return allowed


def to_hex(bits: Bits) -> str:
    """Bits as a hexadecimal number."""
    return f"{sum(1 << int(number) for number in np.flatnonzero(bits)):x}"


class _Placed(NamedTuple):
    """A body that may stand in front of something.

    Attributes:
        body: The body.
        owner: Name of the thing or place that it belongs to.
        deed: Number of the deed that moves it, if any.
        moved: Whether that is done.
        maybe: Whether it may be missing.
    """

    body: Body
    owner: str
    deed: int | None
    moved: bool
    maybe: bool


class Table:
    """Items, places and deeds of a layout, to be looked at from views.

    Args:
        items: The things that are there whatever is hidden.
        places: Where something may be hidden.
        deeds: What can be done.
    """

    def __init__(self, items: Sequence[Item], places: Sequence[Place], deeds: Sequence[Deed]) -> None:
        self._items = {item.thing.name: item.thing for item in items}
        self._places = {place.name: _variants(place) for place in places}
        self._deeds = {deed.thing: (number, deed) for number, deed in enumerate(deeds)}
        self._masks = np.arange(1 << len(deeds))
        self._allowed = allowed_masks(deeds)
        self._bodies = list(self._placed())
        self._centers = np.array([placed.body.center for placed in self._bodies])
        self._radii = np.array([placed.body.radius for placed in self._bodies])

    def reveal(self, view: View, place: str) -> Bits | None:
        """In which sets of deeds a place is seen; None if in some it depends on what is hidden, or is in between."""
        result: Bits | None = None
        done = self._done(place)
        for thing in self._places[place]:
            seen, _ = self._seen(view, place, thing)
            hidden = self._seen(view, place, thing, grown=SLACK, alone=True)[1] == 0
            seen, hidden = seen | done, hidden & ~done
            seen &= self._allowed
            if (self._allowed & ~seen & ~hidden).any() or (result is not None and (result != seen).any()):
                return None
            result = seen
        return result

    def show(self, view: View, name: str, revealed: Bits | None = None) -> Bits:
        """In which sets of deeds the thing of a deed is seen well enough to be named, where it stood first or was put.

        Args:
            view: From where.
            name: Of an item or a place.
            revealed: Where the place is seen, if it is one.
        """
        things = self._places[name] if name in self._places else [self._items[name]]
        there = [thing.model_copy(update={"position": self._deeds[name][1].to}) for thing in things]
        after = self._all_seen(view, name, there)
        before = self._all_seen(view, name, things) if revealed is None else revealed
        return np.where(self._done(name), after, before) & self._allowed

    def _all_seen(self, view: View, name: str, things: Sequence[Thing]) -> Bits:
        return np.asarray(np.all([self._seen(view, name, thing, share=SHOWN_SHARE)[0] for thing in things], axis=0))

    def _done(self, name: str) -> Bits:
        if name not in self._deeds:
            return np.zeros(len(self._masks), bool)
        return np.asarray((self._masks >> self._deeds[name][0] & 1) == 1)

    def _seen(
        self, view: View, name: str, thing: Thing, *, share: float = SEEN_SHARE, grown: float = 0.0, alone: bool = False
    ) -> tuple[Bits, NDArray[np.int64]]:
        """Whether a thing counts as seen where it is, and how many of its pixels are, for each set of deeds.

        Args:
            view: From where.
            name: What it is called.
            thing: The thing.
            share: How much of it must be seen.
            grown: By how much it is larger [m].
            alone: Whether nothing else is hidden; else everything that may be hidden anywhere is there at once.
        """
        sight = Sight.of(view.camera, bodies(thing, grown))
        fixed = ~sight.inside
        # By numbers of deeds: what is hidden before, and after.
        choices: dict[int, tuple[Bits, Bits]] = {}
        for index in np.flatnonzero(sight.near(self._centers, self._radii)):
            body = self._bodies[index]
            if body.owner == name or (alone and body.maybe):
                continue
            hidden = sight.hidden_by(body.body)
            if body.deed is None:
                fixed |= hidden
            elif hidden.any():
                pair = choices.setdefault(body.deed, (np.zeros_like(hidden), np.zeros_like(hidden)))
                np.logical_or(pair[body.moved], hidden, out=pair[body.moved])
        counts = np.zeros(len(self._masks), np.int64)
        for which in product((0, 1), repeat=len(choices)):
            left = ~fixed
            fits = np.ones(len(self._masks), bool)
            for bit, (number, pair) in zip(which, choices.items(), strict=True):
                left = left & ~pair[bit]
                fits &= (self._masks >> number & 1) == bit
            counts[fits] = left.sum()
        return (counts >= share * len(fixed)) & (counts >= SEEN_PIXELS), counts

    def _placed(self) -> Iterator[_Placed]:
        """Whatever may stand in front of a thing, before and after what can be done to it."""
        things = [(name, thing, False) for name, thing in self._items.items()]
        things += [(name, variant, True) for name, variants in self._places.items() for variant in variants]
        for name, thing, maybe in things:
            number, deed = self._deeds.get(name, (None, None))
            for body in bodies(thing):
                yield _Placed(body, name, number, False, maybe)
            for body in bodies(thing, at=deed.to) if deed else ():
                yield _Placed(body, name, number, True, maybe)


def _variants(place: Place) -> list[Thing]:
    """What may be at a place, one for each shape and size."""
    found = {(look.shape, look.size): look for look in place.contents if look is not None}
    return [place.thing(look) for look in found.values()]
