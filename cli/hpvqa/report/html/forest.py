"""The figure that most of the page is made of: shares with their intervals, one row a thing, on an axis from 0 to 1."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from hpvqa.report.html.svg import WIDTH, Drawing, Scale, hue
from hpvqa.scene.spec import Side

_LEFT, _RIGHT = 10.0, WIDTH - 10.0
_TOP, _LABEL, _LANE, _GAP, _BOTTOM = 8.0, 16.0, 13.0, 9.0, 34.0


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
    height = _TOP + sum(_LABEL + _LANE * len(lane.marks) + _GAP for lane in lanes) + _BOTTOM
    drawing = Drawing(height)
    across = Scale(0.0, 1.0, _LEFT, _RIGHT)
    floor = height - _BOTTOM
    for tick in (0.0, 0.25, 0.5, 0.75, 1.0):
        x = across(tick)
        drawing.line((x, _TOP), (x, floor), "half" if tick == 0.5 else "grid")
        drawing.text((x, floor + 14), f"{tick:g}", "tick", "start" if tick == 0 else "end" if tick == 1 else "middle")
    drawing.text((WIDTH / 2, height - 5), axis, "axis", "middle")
    y = _TOP
    for lane in lanes:
        drawing.text((_LEFT, y + 11), lane.label)
        drawing.text((_RIGHT, y + 11), lane.detail, "detail", "end")
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
