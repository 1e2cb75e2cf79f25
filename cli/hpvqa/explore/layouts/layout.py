"""Drawing a layout: what stands where, what may be hidden, and what the robot can do about it."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Literal, TypeVar

import numpy as np

from hpvqa.explore.layouts.types import Hider, LayoutType
from hpvqa.explore.layouts.views import draw_views
from hpvqa.explore.scene import Deed, Item, Place, View
from hpvqa.explore.words import BOARD, COLORS, EDGES, HIDER_COLORS, SHAPES, SURFACES, Look, Shape, Size
from hpvqa.scene.materials import material_room
from hpvqa.scene.spec import LightSpec, RoomSpec, Vec3

_ROWS = (0.60, 0.45)
_COLUMNS = (0.10, 0.25, -0.10, -0.25)
"""Where things stand, x and y [m]; so far from each other that the open gripper fits between them."""
_JITTER = 0.010
_ASIDE = ((0.30, 0.13), (0.30, 0.24), (0.30, 0.35))
"""Where things are put aside, x and distance from the middle, on the side of the table that they come from: in sight,
so that they can be taken again; and"""
_FAR = ((0.30, 0.46), (0.44, 0.43))
"""where no more room is left there [m]."""
_EDGE = (0.63, 0.42)
"""Where something may be beyond the edge of the picture, x and distance from the middle [m]."""
_GAP = (0.004, 0.012)
"""Between a thing and what is hidden behind it [m]."""
_APART = 0.14
"""Least distance between the middles of things that are put aside [m]."""
_EMPTY = 0.34
"""How likely a place is empty that may be."""
_POOL = 3
"""Colours of what may be hidden; there are two shapes. One colour fewer where it may be plain or chequered."""
_CHEQUERED = 0.4
"""How often some of it may be chequered,"""
_FEW = 4
"""where there are no more places than these: all that may be hidden must be listed."""
_LIGHT: Vec3 = (1.1, -0.5, 1.8)


T = TypeVar("T")


@dataclass
class Layout:
    """Everything of a scene but what is hidden, where it begins and what is asked."""

    kind: LayoutType
    room: RoomSpec
    views: tuple[View, ...]
    stride: float
    items: list[Item] = field(default_factory=list)
    places: list[Place] = field(default_factory=list)
    deeds: list[Deed] = field(default_factory=list)

    @property
    def light(self) -> LightSpec:
        """Without shadows, which would tell what is hidden."""
        return LightSpec(position=_LIGHT, shadows=False)


class _Builder:
    """Puts things into a layout.

    Args:
        layout: To be filled.
        rng: For everything that is drawn.
    """

    def __init__(self, layout: Layout, rng: np.random.Generator) -> None:
        self._layout = layout
        self._eye = layout.views[0].camera.position
        self._rng = rng
        cells = [(x, y) for y in _COLUMNS for x in _ROWS]
        self._cells = [cells[number] for number in rng.permutation(len(cells))]
        self._sides = [1, -1] if rng.random() < 0.5 else [-1, 1]
        self._asides = {side: [*_shuffled(_ASIDE, rng), *_FAR] for side in (1, -1)}
        self._edges: list[tuple[float, float]] = []
        shapes = _shuffled(SHAPES, rng)
        colors = rng.permutation(list(COLORS))
        self._shapes, self._odd = shapes[:2], shapes[2]
        few = sum(2 if hider == "double" else 1 for hider in layout.kind.hiders) <= _FEW
        self._surfaces = SURFACES if few and rng.random() < _CHEQUERED else SURFACES[:1]
        pool = _POOL + 1 - len(self._surfaces)
        self._colors, self._others = colors[:pool].tolist(), colors[pool:].tolist()
        self._hider_colors = {shape: _shuffled(HIDER_COLORS, rng) for shape in ("board", "cover", "panel")}
        large = layout.kind.menu.screens(layout.stride)
        self._large: list[tuple[Shape, str]] = _shuffled([(shape, color) for shape in large for color in COLORS], rng)

    def add(self, hider: Hider) -> bool:
        """Add something that hides; whether there is room for it."""
        if hider == "aside":
            return self._add_edge()
        cell = self._cell(free_beside=hider == "sideways")
        if cell is None:
            return False
        if hider == "cover":
            look = self._hider("cover")
            self._place(f"under the {look.words}", (*cell, 0.0))
            return self._take(self._item(look, cell, 0.0), "uncover")
        if hider in ("board", "topped", "double"):
            return self._add_boards(hider, cell)
        return self._add_screen(hider, cell)

    def add_free(self) -> bool:
        """Add a small thing that hides nothing; whether there is room for it."""
        cell = self._cell()
        if cell is None:
            return False
        used = {item.look for item in self._layout.items}
        looks = [
            Look(shape=shape, color=color, surface=self._surfaces[int(self._rng.integers(len(self._surfaces)))])
            for shape, color in self._free_looks()
        ]
        look = next((look for look in looks if look not in used), None)
        return look is not None and self._take(self._item(look, cell, 0.0), "pick")

    def _free_looks(self) -> Iterator[tuple[Shape, str]]:
        """Shapes and colours that nothing hidden has, but for one of the two."""
        mixed: list[tuple[Shape, str]] = [(self._odd, color) for color in self._colors]
        mixed += [(shape, color) for shape in self._shapes for color in self._others]
        return iter(_shuffled(mixed, self._rng))

    def _add_edge(self) -> bool:
        side = self._sides.pop()
        x, y = _EDGE[0] + self._jitter(), side * (_EDGE[1] + self._jitter())
        self._edges.append((x, y))
        self._place(f"at the far {'left' if side > 0 else 'right'} end of the table, seen by the robot", (x, y, 0.0))
        return True

    def _add_screen(self, hider: Hider, cell: tuple[float, float]) -> bool:
        if hider == "wall":
            look = self._hider("panel")
        else:
            shape, color = self._large.pop()
            look = Look(shape=shape, size="large", color=color)
        name = self._item(look, cell, 0.0)
        # Along the line of sight, at least so far that cubes that are seen from the corner do not touch.
        dx, dy = cell[0] - self._eye[0], cell[1] - self._eye[1]
        steep = max(abs(dx), abs(dy)) / math.hypot(dx, dy)
        away = (look.full_size[0] + EDGES["small"]) / 2 / steep + self._rng.uniform(*_GAP)
        x, y = (at + away * step / math.hypot(dx, dy) for at, step in zip(cell, (dx, dy), strict=True))
        self._place(f"behind the {look.words}", (x, y, 0.0))
        if hider == "wall":
            return True
        if hider == "sideways":
            return self._sideways(name, cell)
        if hider == "screen":
            return self._take(name, "pick")
        shape, color = self._large.pop()
        top = self._item(Look(shape=shape, size="large", color=color), cell, EDGES["large"])
        return self._take(top, "pick") and self._take(name, "pick", after=(len(self._layout.deeds) - 1,))

    def _add_boards(self, hider: Hider, cell: tuple[float, float]) -> bool:
        layout, edge, thick = self._layout, EDGES["small"], BOARD[2]
        lower = self._hider("board")
        self._place(f"beneath the {lower.words}", (*cell, 0.0), empty=False, round_=False)
        board = self._item(lower, cell, edge)
        if hider == "board":
            return self._take(board, "pick")
        if hider == "topped":
            size: Size = "large" if self._rng.random() < 0.5 else "small"
            looks = _shuffled([Look(shape=shape, size=size, color=color) for shape, color in self._large], self._rng)
            used = {item.look for item in layout.items} | set(self._pool(round_=True))
            block = next(look for look in looks if look not in used)
            top = self._item(block, cell, edge + thick)
            return self._take(top, "pick") and self._take(board, "pick", after=(len(layout.deeds) - 1,))
        upper = self._hider("board")
        middle = self._place(f"beneath the {upper.words}", (*cell, edge + thick), empty=False, round_=False)
        top = self._item(upper, cell, 2 * edge + thick)
        first = len(layout.deeds)
        return (
            self._take(top, "pick")
            and self._take(middle, "pick", after=(first,))
            and self._take(board, "pick", after=(first, first + 1))
        )

    def _hider(self, shape: Shape) -> Look:
        return Look(shape=shape, color=self._hider_colors[shape].pop())

    def _item(self, look: Look, cell: tuple[float, float], above: float) -> str:
        """Put a thing somewhere, its underside so high above the table [m]; what it is called."""
        name = f"item{len(self._layout.items) + 1}"
        thing = look.thing(name, (*cell, above + look.full_size[2] / 2))
        self._layout.items.append(Item(thing=thing, look=look))
        return name

    def _place(self, words: str, position: Vec3, *, empty: bool = True, round_: bool = True) -> str:
        """Let something be hidden somewhere.

        Args:
            words: Where that is.
            position: The same [m].
            empty: Whether there may be nothing.
            round_: Whether there may be a sphere.
        """
        name = f"place{len(self._layout.places) + 1}"
        looks = self._pool(round_=round_)
        contents = (*looks, None) if empty else looks
        share = (1 - _EMPTY if empty else 1.0) / len(looks)
        chances = (*[share] * len(looks), *[_EMPTY] * empty)
        self._layout.places.append(Place(name=name, words=words, position=position, contents=contents, chances=chances))
        return name

    def _pool(self, *, round_: bool) -> tuple[Look, ...]:
        """What may be hidden: two shapes in some colours; where nothing can be round, the cube and the cylinder."""
        shapes: list[Shape] = self._shapes if round_ else ["cube", "cylinder"]
        return tuple(
            Look(shape=shape, color=color, surface=surface)
            for shape in shapes
            for color in self._colors
            for surface in self._surfaces
        )

    def _cell(self, *, free_beside: bool = False) -> tuple[float, float] | None:
        """A free place on the table; with one beside it that is then kept free, if asked for."""
        for x, y in self._cells:
            beside = [cell for cell in self._cells if cell[0] == x and cell[1] * y > 0 and cell[1] != y]
            if beside or not free_beside:
                for cell in ((x, y), *(beside if free_beside else ())):
                    self._cells.remove(cell)
                return x + self._jitter(), y + self._jitter()
        return None

    def _jitter(self) -> float:
        return float(self._rng.uniform(-_JITTER, _JITTER))

    def _take(self, name: str, kind: Literal["pick", "uncover"], after: tuple[int, ...] = ()) -> bool:
        """Let the robot put a thing aside; whether there is room for it."""
        _, y, height = self._where(name)
        side = 1 if y > 0 else -1
        for across, out in self._asides[side]:
            if all(math.hypot(across - a, side * out - b) > _APART for a, b in self._edges):
                self._asides[side].remove((across, out))
                to = (across, side * out, height / 2)
                self._layout.deeds.append(Deed(kind=kind, thing=name, to=to, after=after))
                return True
        return False

    def _sideways(self, name: str, cell: tuple[float, float]) -> bool:
        """Let the robot move a thing sideways, to the place beside it that was kept free."""
        x, y = cell
        to = (x, math.copysign(0.35 - abs(y), y), self._where(name)[2] / 2)
        self._layout.deeds.append(Deed(kind="move", thing=name, to=to))
        return True

    def _where(self, name: str) -> Vec3:
        """Where a thing is, x and y, and how high it is [m]."""
        for place in self._layout.places:
            if place.name == name:
                return (place.position[0], place.position[1], EDGES["small"])
        thing = next(item.thing for item in self._layout.items if item.thing.name == name)
        return (thing.position[0], thing.position[1], thing.size[2])


def _shuffled(values: Iterable[T], rng: np.random.Generator) -> list[T]:
    values = list(values)
    return [values[number] for number in rng.permutation(len(values))]


def draw_layout(kind: LayoutType, rng: np.random.Generator) -> Layout | None:
    """Draw a layout of a type; None where things do not fit on the table."""
    stride = rng.uniform(*kind.menu.stride)
    views = draw_views(kind, stride, rng)
    if views is None:
        return None
    layout = Layout(kind, material_room(rng), views, stride)
    builder = _Builder(layout, rng)
    # What needs room of its own first: the edges, then what is moved sideways.
    hiders = sorted(_shuffled(kind.hiders, rng), key=lambda hider: (hider != "aside", hider != "sideways"))
    if all(builder.add(hider) for hider in hiders) and all(builder.add_free() for _ in range(kind.free)):
        layout.deeds = _mixed(layout.deeds, rng)
        return layout
    return None


def _mixed(deeds: list[Deed], rng: np.random.Generator) -> list[Deed]:
    """The same deeds in another order: the first of a kind is any of them."""
    order = rng.permutation(len(deeds)).tolist()
    found = [deeds[number] for number in order]
    return [deed.model_copy(update={"after": tuple(sorted(map(order.index, deed.after)))}) for deed in found]
