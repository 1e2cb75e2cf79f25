"""A table as plain words: the terminal and the page draw the same ones."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Line:
    """One row.

    Attributes:
        cells: Its words, the first of which name it.
        marks: What must stand beside its name.
    """

    cells: tuple[str, ...]
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Group:
    """Rows that belong together.

    Attributes:
        heading: What they have in common; empty where that goes without saying.
        lines: The rows.
        marks: What must stand beside the heading.
    """

    heading: str
    lines: tuple[Line, ...]
    marks: tuple[str, ...] = ()


@dataclass(frozen=True)
class Grid:
    """A table.

    Attributes:
        title: What it is about.
        columns: Names of the columns; all but the first hold numbers.
        groups: The rows.
        caption: How to read it, in plain sentences.
    """

    title: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    caption: str = ""


def share(value: float | None, digits: int = 3) -> str:
    """A number with a fixed count of digits, so that columns align; a dash where there is none."""
    return "–" if value is None else f"{value:.{digits}f}"


def signed(value: float | None) -> str:
    """The same with its sign."""
    return "–" if value is None else f"{value:+.3f}"


def p_value(value: float | None) -> str:
    """A p-value; below a thousandth its size says nothing more."""
    return "–" if value is None else "<0.001" if value < 0.001 else f"{value:.3f}"
