"""Pictures of moments of a scene, and where in them everything is. Nobody acts: things are put where they would be."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from hpvqa.explore.layouts.layout import Layout
from hpvqa.explore.robot import at_home
from hpvqa.explore.scene import Moment, Scene
from hpvqa.explore.words import COLORS, HIDER_COLORS, SURFACES, Look
from hpvqa.scene.spec import Thing, WorldSpec
from hpvqa.sim import open_simulator
from hpvqa.sim.protocol import FIRST_LABEL

KINDS = (
    *(("small", shape) for shape in ("cube", "sphere", "cylinder")),
    *(("large", shape) for shape in ("cube", "cylinder")),
    *(("", shape) for shape in ("board", "cover", "panel")),
)
"""What a thing may be, size and shape."""
NAMES = (*COLORS, *HIDER_COLORS)
STATES = ("hides", "open", "aside")
"""Of what hides something: a place there is not to be seen, all is to be seen, or it was put aside."""
UNKNOWN = -1
LEAST = 1 / 2500
"""A thing is there if it takes so much of the picture; much as what counts as seen in a scene."""
ABOUT = 6
"""Numbers about a thing: column and row [widths and heights of the picture], kind, colour, surface, state."""
BLOCK = 4
"""Side of the squares of which is kept how much of each a thing takes [pixels]."""
FULL = 255
"""Stands for all of such a square."""


@dataclass(frozen=True)
class Picture:
    """One picture.

    Attributes:
        image: RGB, shape (side, side, 3).
        things: What is to be seen, shape (things, 6); see :data:`ABOUT`. The last four are numbers of :data:`KINDS`,
            :data:`NAMES`, surfaces and :data:`STATES`, the last one :data:`UNKNOWN` where that cannot be said.
        shares: How much of each square each thing takes, from 0 to :data:`FULL`, shape (things, squares, squares); see
            :data:`BLOCK`.
    """

    image: NDArray[np.uint8]
    things: NDArray[np.float32]
    shares: NDArray[np.uint8]


@dataclass(frozen=True)
class Pictures:
    """Many pictures.

    Attributes:
        images: RGB, shape (n, side, side, 3).
        things: What each of them shows, as in :class:`Picture`.
        shares: Where, as there.
    """

    images: NDArray[np.uint8]
    things: list[NDArray[np.float32]]
    shares: list[NDArray[np.uint8]]

    def __add__(self, other: Pictures) -> Pictures:
        """These, and then others."""
        images = np.concatenate([self.images, other.images])
        return Pictures(images, self.things + other.things, self.shares + other.shares)

    def only(self, numbers: Sequence[int]) -> Pictures:
        """Those of some numbers."""
        things, shares = [self.things[number] for number in numbers], [self.shares[number] for number in numbers]
        return Pictures(self.images[list(numbers)], things, shares)


def save_pictures(file: Path, pictures: Iterable[Picture]) -> None:
    """Write pictures and what they show into one file."""
    kept = list(pictures)
    np.savez(
        file,
        images=np.stack([picture.image for picture in kept]),
        counts=np.array([len(picture.things) for picture in kept]),
        things=np.concatenate([picture.things for picture in kept]),
        shares=np.concatenate([picture.shares for picture in kept]),
    )


def load_pictures(file: Path) -> Pictures:
    """All pictures of a file."""
    with np.load(file) as data:
        ends = np.cumsum(data["counts"])[:-1]
        return Pictures(data["images"], np.split(data["things"], ends), np.split(data["shares"], ends))


class Camera:
    """Takes pictures.

    Args:
        side: Their width and height [pixels].
    """

    def __init__(self, side: int) -> None:
        self._side = side
        self._simulator = open_simulator((side, side))

    def take(
        self, place: Scene | Layout, contents: Sequence[int], moment: Moment, revealed: frozenset[int] | None = None
    ) -> Picture:
        """A picture.

        Args:
            place: A scene or a layout.
            contents: What is at each of its places, by number.
            moment: From where it is seen, and what is done.
            revealed: Numbers of the places that are seen; None: that is not known of empty ones.
        """
        world = _world(place, contents, moment)
        self._simulator.reset(world, at_home().command(0.0))
        camera = place.views[moment.view].camera
        image = self._simulator.render(camera).copy()
        labels = self._simulator.segment(camera)
        masks = {name: labels == FIRST_LABEL + number for number, name in enumerate(_things(place, contents))}
        there = {name: mask for name, mask in masks.items() if mask.sum() >= LEAST * mask.size}
        shares = [_shares(mask) for mask in there.values()]
        side = self._side // BLOCK
        return Picture(
            image,
            self._things(place, contents, moment, revealed, there),
            np.array(shares, np.uint8).reshape(-1, side, side),
        )

    def _things(
        self,
        place: Scene | Layout,
        contents: Sequence[int],
        moment: Moment,
        revealed: frozenset[int] | None,
        masks: dict[str, NDArray[np.bool_]],
    ) -> NDArray[np.float32]:
        done = {place.deeds[number].thing for number in moment.done}
        where: dict[str, tuple[float, float]] = {}
        for name, mask in masks.items():
            rows, columns = np.nonzero(mask)
            where[name] = (float(columns.mean() + 0.5) / self._side, float(rows.mean() + 0.5) / self._side)
        looks = {item.thing.name: item.look for item in place.items} | _hidden(place, contents)
        found = []
        for name, spot in where.items():
            look = looks[name]
            state = _state(place, contents, look, name in done, done | set(where), revealed)
            found.append([*spot, kind_of(look), NAMES.index(look.color), SURFACES.index(look.surface), state])
        return np.array(found, np.float32).reshape(-1, ABOUT)


def _shares(mask: NDArray[np.bool_]) -> NDArray[np.uint8]:
    side = len(mask) // BLOCK
    shares: NDArray[np.uint8] = np.rint(FULL * mask.reshape(side, BLOCK, side, BLOCK).mean((1, 3))).astype(np.uint8)
    return shares


def kind_of(look: Look) -> int:
    """The number of a kind."""
    return KINDS.index((look.size if look.shape in ("cube", "sphere", "cylinder") else "", look.shape))


def _hidden(place: Scene | Layout, contents: Sequence[int]) -> dict[str, Look]:
    found = {where.name: where.contents[number] for where, number in zip(place.places, contents, strict=True)}
    return {name: look for name, look in found.items() if look is not None}


def _things(place: Scene | Layout, contents: Sequence[int]) -> dict[str, Thing]:
    """All things, by name, where they are before anything is done."""
    spots = {where.name: where for where in place.places}
    found = {item.thing.name: item.thing for item in place.items}
    return found | {name: spots[name].thing(look) for name, look in _hidden(place, contents).items()}


def _world(place: Scene | Layout, contents: Sequence[int], moment: Moment) -> WorldSpec:
    moved = {place.deeds[number].thing: place.deeds[number].to for number in moment.done}
    placed = [
        thing.model_copy(update={"position": moved[name]}) if name in moved else thing
        for name, thing in _things(place, contents).items()
    ]
    camera = place.views[moment.view].camera
    return WorldSpec(things=tuple(placed), room=place.room, light=place.light, cameras=(camera,))


def _state(
    place: Scene | Layout,
    contents: Sequence[int],
    look: Look,
    aside: bool,
    seen: set[str],
    revealed: frozenset[int] | None,
) -> int:
    if aside:
        return STATES.index("aside")
    own = [number for number, where in enumerate(place.places) if look.words in where.words]
    if not own:
        return UNKNOWN
    if revealed is not None:
        return STATES.index("open" if revealed.issuperset(own) else "hides")
    if any(place.places[number].contents[contents[number]] is None for number in own):
        return UNKNOWN
    return STATES.index("open" if all(place.places[number].name in seen for number in own) else "hides")
