"""Figures in SVG: marks, charts with axes, and rows of shares with their intervals, of which most of the page is made.

Coordinates in, text out. Colours come from the page's style, so that figures follow it.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import escape
from typing import Literal

from hpvqa.scene.spec import Side

WIDTH = 380.0
"""Width of every figure in its own units: on a phone a unit is a little less than a pixel, elsewhere a little more."""
Anchor = Literal["start", "middle", "end"]
Point = tuple[float, float]
SHAPES = ("circle", "square", "diamond", "triangle", "ring", "cross")
"""Marks that differ without their colour; the page's style has as many colours."""
_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 250.0, 44.0, WIDTH - 12.0, 10.0, 38.0
"""Of a chart."""
_EDGE, _ABOVE, _LABEL, _LANE, _GAP, _BELOW = 10.0, 8.0, 16.0, 13.0, 9.0, 34.0
"""Of rows of shares."""


@dataclass(frozen=True)
class Scale:
    """A straight map from values to coordinates.

    Attributes:
        low: The value that lands at ``start``.
        high: The value that lands at ``end``.
        start: A coordinate.
        end: A coordinate.
    """

    low: float
    high: float
    start: float
    end: float

    def __call__(self, value: float) -> float:
        """The coordinate of a value; those outside are held at the border."""
        share = (value - self.low) / (self.high - self.low)
        return self.start + min(max(share, 0.0), 1.0) * (self.end - self.start)

    def ticks(self) -> list[float]:
        """About five round values."""
        wide = self.high / 6.0 - self.low / 6.0
        power = math.floor(math.log10(wide))
        step = next(step for part in (1.0, 2.0, 2.5, 5.0, 10.0) if (step := part * 10.0**power) >= wide)
        first = math.ceil(self.low / step - 1e-9)
        last = math.floor(self.high / step + 1e-9)
        return [round(number * step, max(2 - power, 0)) for number in range(first, last + 1)]


@dataclass
class Drawing:
    """Marks, one over the other.

    Attributes:
        height: Height in the figure's units.
        parts: The marks so far.
    """

    height: float
    parts: list[str] = field(default_factory=list)

    def line(self, a: Point, b: Point, kind: str) -> None:
        """A straight line; ``kind`` is a class of the page's style."""
        self.parts.append(f'<line class="{kind}" x1="{a[0]:.1f}" y1="{a[1]:.1f}" x2="{b[0]:.1f}" y2="{b[1]:.1f}"/>')

    def path(self, points: Sequence[Point], kind: str) -> None:
        """A line through several points."""
        steps = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self.parts.append(f'<polyline class="{kind}" points="{steps}"/>')

    def text(self, at: Point, words: str, kind: str = "label", anchor: Anchor = "start") -> None:
        """Words whose base line begins, is centred or ends at a point."""
        self.parts.append(
            f'<text class="{kind}" x="{at[0]:.1f}" y="{at[1]:.1f}" text-anchor="{anchor}">{escape(words)}</text>'
        )

    def turned(self, at: Point, words: str) -> None:
        """Words from bottom to top, centred at a point."""
        x, y = at
        self.parts.append(
            f'<text class="axis" text-anchor="middle" transform="translate({x:.1f} {y:.1f}) rotate(-90)">'
            f"{escape(words)}</text>"
        )

    def mark(self, at: Point, color: int, tip: str, *, size: float = 4.2, to: Side | None = None) -> None:
        """A mark whose shape goes with its colour or points to a side, and words that a resting mouse shows."""
        x, y = at
        shape = _shape(color, x, y, size) if to is None else _pointer(to, x, y, 1.2 * size)
        self.parts.append(f'<g class="{hue("mark", color)}"><title>{escape(tip)}</title>{shape}</g>')

    def render(self, title: str, description: str) -> str:
        """The figure; the title and the description are for those who do not see it."""
        return (
            f'<svg viewBox="0 0 {WIDTH:g} {self.height:g}" role="img" aria-label="{escape(title)}. '
            f'{escape(description)}">' + "".join(self.parts) + "</svg>"
        )


def hue(kind: str, color: int) -> str:
    """Classes of the page's style: what something is, and its colour; there are as many as shapes, then they repeat."""
    return f"{kind} c{color % len(SHAPES)}"


def legend_mark(color: int) -> str:
    """The mark of a run by itself, to stand in a line of text."""
    shape = f'<g class="{hue("mark", color)}">{_shape(color, 7, 7, 4.6)}</g>'
    return f'<svg viewBox="0 0 14 14" aria-hidden="true">{shape}</svg>'


def _shape(color: int, x: float, y: float, r: float) -> str:
    kind = SHAPES[color % len(SHAPES)]
    if kind == "square":
        return f'<rect x="{x - r * 0.9:.1f}" y="{y - r * 0.9:.1f}" width="{r * 1.8:.1f}" height="{r * 1.8:.1f}"/>'
    if kind == "diamond":
        return _polygon(((x, y - 1.3 * r), (x + 1.3 * r, y), (x, y + 1.3 * r), (x - 1.3 * r, y)))
    if kind == "triangle":
        return _polygon(((x, y - 1.2 * r), (x + 1.15 * r, y + 0.85 * r), (x - 1.15 * r, y + 0.85 * r)))
    if kind == "cross":
        d = 2 * r
        return f'<path class="cross" d="M{x - r:.1f} {y - r:.1f}l{d:.1f} {d:.1f}m0 {-d:.1f}l{-d:.1f} {d:.1f}"/>'
    hollow = ' class="ring"' if kind == "ring" else ""
    return f'<circle{hollow} cx="{x:.1f}" cy="{y:.1f}" r="{r:.1f}"/>'


def _pointer(to: Side, x: float, y: float, r: float) -> str:
    tip = -r if to == "left" else r
    return _polygon(((x + tip, y), (x - 0.7 * tip, y - r), (x - 0.7 * tip, y + r)))


def _polygon(corners: Sequence[Point]) -> str:
    return '<polygon points="' + " ".join(f"{a:.1f},{b:.1f}" for a, b in corners) + '"/>'


class Chart:
    """A drawing with an axis below and one at the left.

    Args:
        x: Lowest and highest value below.
        y: Lowest and highest value at the left.
        x_label: What is below.
        y_label: What is at the left.
    """

    def __init__(self, x: tuple[float, float], y: tuple[float, float], x_label: str, y_label: str) -> None:
        self.drawing = Drawing(_HEIGHT)
        self.x = Scale(*x, _LEFT, _RIGHT)
        self.y = Scale(*y, _HEIGHT - _BOTTOM, _TOP)
        for tick in self.y.ticks():
            self.drawing.line((_LEFT, self.y(tick)), (_RIGHT, self.y(tick)), "grid")
            self.drawing.text((_LEFT - 6, self.y(tick) + 3.5), f"{tick:g}", "tick", "end")
        for tick in self.x.ticks():
            self.drawing.line((self.x(tick), _HEIGHT - _BOTTOM), (self.x(tick), _HEIGHT - _BOTTOM + 4), "stub")
            self.drawing.text((self.x(tick), _HEIGHT - _BOTTOM + 15), f"{tick:g}", "tick", "middle")
        self.drawing.text(((_LEFT + _RIGHT) / 2, _HEIGHT - 5), x_label, "axis", "middle")
        self.drawing.turned((12.0, (_TOP + _HEIGHT - _BOTTOM) / 2), y_label)

    def level(self, y: float, kind: str) -> None:
        """A line across the whole width."""
        self.drawing.line((_LEFT, self.y(y)), (_RIGHT, self.y(y)), kind)

    def upright(self, x: float, kind: str) -> None:
        """A line over the whole height."""
        self.drawing.line((self.x(x), _TOP), (self.x(x), _HEIGHT - _BOTTOM), kind)

    def slope(self, kind: str) -> None:
        """A line from the lower left corner to the upper right one."""
        self.drawing.line((_LEFT, _HEIGHT - _BOTTOM), (_RIGHT, _TOP), kind)

    def point(
        self, x: float, y: float, low: float | None, high: float | None, color: int, tip: str, size: float = 4.2
    ) -> None:
        """A mark with its interval."""
        if low is not None and high is not None:
            self.drawing.line((self.x(x), self.y(low)), (self.x(x), self.y(high)), hue("span", color))
        self.drawing.mark((self.x(x), self.y(y)), color, tip, size=size)

    def across(self, low: float, high: float, y: float, color: int) -> None:
        """An interval of what is below."""
        self.drawing.line((self.x(low), self.y(y)), (self.x(high), self.y(y)), hue("span", color))

    def curve(self, x: list[float], y: list[float], color: int, *, faint: bool = False) -> None:
        """A line through points; a faint one means little."""
        kind = hue("faint curve" if faint else "curve", color)
        self.drawing.path([(self.x(a), self.y(b)) for a, b in zip(x, y, strict=True)], kind)


@dataclass(frozen=True)
class Mark:
    """A share and how sure it is.

    Attributes:
        value: The share.
        low: Lower end of its interval; None where there is none.
        high: Upper end.
        color: Number of its colour and shape.
        tip: Words that explain it.
        to: The side that it points to; None for the shape that goes with its colour.
        blind: What the more frequent answer alone would score; None where that is not to be shown.
    """

    value: float
    low: float | None
    high: float | None
    color: int
    tip: str
    to: Side | None = None
    blind: float | None = None


@dataclass(frozen=True)
class Lane:
    """One row of the figure.

    Attributes:
        label: Its name.
        detail: A few figures that stand at its end.
        marks: What is drawn, one under the other.
    """

    label: str
    detail: str
    marks: Sequence[Mark]


def forest(lanes: Sequence[Lane], title: str, axis: str = "accuracy") -> str:
    """Draw rows of shares; a dashed line stands at one half, a tick where the more frequent answer alone is."""
    height = _ABOVE + sum(_LABEL + _LANE * len(lane.marks) + _GAP for lane in lanes) + _BELOW
    drawing = Drawing(height)
    across = Scale(0.0, 1.0, _EDGE, WIDTH - _EDGE)
    floor = height - _BELOW
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = across(tick)
        drawing.line((x, _ABOVE), (x, floor), "half" if tick == 0.5 else "grid")
        drawing.text((x, floor + 14), f"{tick:g}", "tick", "start" if tick == 0 else "end" if tick == 1 else "middle")
    drawing.text((WIDTH / 2, height - 5), axis, "axis", "middle")
    y = _ABOVE
    for lane in lanes:
        drawing.text((_EDGE, y + 11), lane.label)
        drawing.text((WIDTH - _EDGE, y + 11), lane.detail, "detail", "end")
        y += _LABEL
        for mark in lane.marks:
            _draw(drawing, across, mark, y + _LANE / 2)
            y += _LANE
        y += _GAP
    words = "; ".join(f"{lane.label} {lane.detail}".strip() for lane in lanes)
    return drawing.render(title, words)


def _draw(drawing: Drawing, across: Scale, mark: Mark, y: float) -> None:
    if mark.blind is not None:
        drawing.line((across(mark.blind), y - 6.5), (across(mark.blind), y + 6.5), "blind")
    if mark.low is not None and mark.high is not None:
        drawing.line((across(mark.low), y), (across(mark.high), y), hue("span", mark.color))
    drawing.mark((across(mark.value), y), mark.color, mark.tip, to=mark.to)
