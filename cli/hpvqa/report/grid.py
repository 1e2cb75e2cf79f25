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
        findings: What stands out in it, each in a sentence.
    """

    title: str
    columns: tuple[str, ...]
    groups: tuple[Group, ...]
    caption: str = ""
    findings: tuple[str, ...] = ()
