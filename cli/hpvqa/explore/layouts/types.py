"""The types of layouts: four families of ten, two of each kept for evaluation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from hpvqa.explore.scene import Family

Hider = Literal["screen", "tall", "sideways", "wall", "board", "topped", "double", "cover", "aside"]
"""What hides something.

screen: a large thing, which can be picked up, with a place behind it; tall: two, one on the other; sideways: a large
one that is moved to the side; wall: a panel, which stays; board: a board with a thing beneath; topped: with a block on
it; double: two boards, one above the other; cover: a cover; aside: nothing, but the place is beyond the picture's edge.
"""


@dataclass(frozen=True)
class Menu:
    """The views that a viewer may have.

    Attributes:
        arc: How many steps there are around the table, in all.
        stride: How long one is, least and most [degrees].
        levels: How much higher than the first the viewer can go [degrees]; each is a step.
        turns: Whether it can turn to its left and right.
        first: How far to one side the first view is at most [degrees].
    """

    arc: int = 2
    stride: tuple[float, float] = (36.0, 58.0)
    levels: tuple[float, ...] = ()
    turns: bool = False
    first: float = 20.0

    @staticmethod
    def screens(stride: float) -> tuple[Literal["cube", "cylinder"], ...]:
        """Shapes that something can stand behind so that a step around either shows it or does not.

        Cubes hide something up to about 30° and show it from about 50° on, cylinders from 35° on.
        """
        return ("cube",) if stride < 33 else ("cylinder",) if stride < 50 else ("cube", "cylinder")


@dataclass(frozen=True)
class LayoutType:
    """A type of layouts.

    Attributes:
        family: Which family it belongs to.
        name: What it is called.
        hiders: What hides something.
        menu: The views.
        elevation: Of the first view, least and most [degrees].
        free: How many small things stand about that can be picked up.
        held_out: Whether it is kept for evaluation.
    """

    family: Family
    name: str
    hiders: tuple[Hider, ...]
    menu: Menu = Menu()
    elevation: tuple[float, float] = (18.0, 26.0)
    free: int = 2
    held_out: bool = False


_LONG = Menu(arc=3, stride=(27.0, 32.0))
_AROUND = Menu(arc=2, stride=(16.0, 36.0), levels=(12.0,))
_SMALL = Menu(arc=2, stride=(8.0, 12.0), levels=(6.0,))
_RAISED = Menu(arc=1, stride=(9.0, 16.0), levels=(12.0,))
_TURNING = Menu(arc=1, turns=True)
_NARROW = Menu(arc=2, stride=(6.0, 10.0), levels=(8.0,), first=8.0)
_NARROW_TURNING = Menu(arc=1, stride=(6.0, 10.0), turns=True, first=6.0)
_STEEP = (52.0, 60.0)
_MIDDLE = (26.0, 44.0)


def _occlusion() -> list[LayoutType]:
    return [
        LayoutType("occlusion", "two-screens", ("screen", "screen"), _SMALL, free=3),
        LayoutType("occlusion", "three-screens", ("screen",) * 3, _SMALL),
        LayoutType("occlusion", "four-screens", ("screen",) * 4, _SMALL, free=1),
        LayoutType("occlusion", "tall-screens", ("tall", "tall"), _RAISED),
        LayoutType("occlusion", "tall-and-low", ("tall", "screen", "screen"), _SMALL, free=1),
        LayoutType("occlusion", "sideways", ("sideways",) * 3, _SMALL),
        LayoutType("occlusion", "sideways-and-screens", ("sideways", "screen", "screen"), _SMALL),
        LayoutType("occlusion", "edges", ("screen", "screen", "aside", "aside"), _TURNING),
        LayoutType("occlusion", "tall-and-sideways", ("tall", "sideways", "sideways"), _SMALL, free=1, held_out=True),
        LayoutType("occlusion", "tall-and-edges", ("tall", "tall", "aside"), _TURNING, free=1, held_out=True),
    ]


def _stack() -> list[LayoutType]:
    def kind(name: str, *hiders: Hider, menu: Menu = _NARROW, free: int = 2, held_out: bool = False) -> LayoutType:
        return LayoutType("stack", name, hiders, menu, _STEEP, free, held_out)

    return [
        kind("two-boards", "board", "board", free=3),
        kind("three-boards", "board", "board", "board"),
        kind("four-boards", "board", "board", "board", "board", free=1),
        kind("two-topped", "topped", "topped", free=1),
        kind("topped-and-plain", "topped", "board", "board", free=1),
        kind("double", "double", "board", free=1),
        kind("double-and-topped", "double", "topped", free=0),
        kind("boards-and-edge", "board", "board", "aside", menu=_NARROW_TURNING),
        kind("two-doubles", "double", "double", free=0, held_out=True),
        kind("three-topped", "topped", "topped", "topped", free=0, held_out=True),
    ]


def _cover() -> list[LayoutType]:
    def kind(name: str, *hiders: Hider, menu: Menu = _AROUND, free: int = 2, held_out: bool = False) -> LayoutType:
        return LayoutType("cover", name, hiders, menu, _MIDDLE, free, held_out)

    return [
        kind("three-covers-along", "cover", "cover", "cover", menu=_LONG),
        kind("three-covers", "cover", "cover", "cover"),
        kind("four-covers", "cover", "cover", "cover", "cover", free=1),
        kind("three-covers-from-above", "cover", "cover", "cover", menu=_RAISED),
        kind("four-covers-along", "cover", "cover", "cover", "cover", menu=_LONG, free=1),
        kind("covers-and-edge", "cover", "cover", "aside", menu=_TURNING),
        kind("covers-and-edges", "cover", "cover", "aside", "aside", menu=_TURNING),
        kind("three-covers-and-edge", "cover", "cover", "cover", "aside", menu=_TURNING, free=1),
        kind("four-covers-and-edge", "cover", "cover", "cover", "cover", "aside", menu=_TURNING, free=0, held_out=True),
        kind("four-covers-from-above", "cover", "cover", "cover", "cover", menu=_RAISED, free=1, held_out=True),
    ]


def _composite() -> list[LayoutType]:
    def low(name: str, *hiders: Hider, menu: Menu = Menu(), free: int = 1, held_out: bool = False) -> LayoutType:
        return LayoutType("composite", name, hiders, menu, (20.0, 28.0), free, held_out)

    def steep(name: str, *hiders: Hider, menu: Menu = _NARROW, free: int = 1, held_out: bool = False) -> LayoutType:
        return LayoutType("composite", name, hiders, menu, _STEEP, free, held_out)

    return [
        low("screen-and-covers", "screen", "cover", "cover", menu=_SMALL, free=2),
        low("screens-and-cover", "screen", "screen", "cover", menu=_SMALL, free=2),
        low("screens-and-covers", "screen", "screen", "cover", "cover", menu=_SMALL),
        low("tall-and-covers", "tall", "cover", "cover", menu=_SMALL),
        low("wall-and-covers", "wall", "cover", "cover", "cover", menu=_LONG),
        steep("boards-and-covers", "board", "board", "cover", "cover"),
        steep("topped-and-covers", "topped", "cover", "cover"),
        steep("double-and-cover", "double", "cover", free=1),
        steep("double-and-covers", "double", "cover", "cover", free=0, held_out=True),
        low("sideways-screen-cover-edge", "sideways", "screen", "cover", "aside", menu=_TURNING, held_out=True),
    ]


TYPES: dict[Family, tuple[LayoutType, ...]] = {
    "occlusion": tuple(_occlusion()),
    "stack": tuple(_stack()),
    "cover": tuple(_cover()),
    "composite": tuple(_composite()),
}
