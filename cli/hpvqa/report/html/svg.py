"""A few marks in SVG: coordinates in, text out. Colours come from the page's style, so that figures follow it."""

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
