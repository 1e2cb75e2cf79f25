"""Axes for figures of one quantity against another."""

from __future__ import annotations

from hpvqa.report.html.svg import WIDTH, Drawing, Scale, hue

_HEIGHT, _LEFT, _RIGHT, _TOP, _BOTTOM = 250.0, 44.0, WIDTH - 12.0, 10.0, 38.0


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
