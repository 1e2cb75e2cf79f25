"""Tables in Markdown, and pages of which a command writes a part."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

END = "<!-- end of tables -->"


def begin(command: str) -> str:
    """The line before what a command writes."""
    return f"<!-- tables: {command} writes what is below -->"


def table(columns: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """A table in Markdown."""
    lines = [columns, ["---"] * len(columns), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)


def write(page: Path, mark: str, text: str) -> None:
    """Put text where a page has its marks; what stands around them stays.

    Args:
        page: The page.
        mark: The line before the text, see :func:`begin`; the line after it is :data:`END`.
        text: What is written.

    Raises:
        ValueError: The page lacks a mark.
    """
    before, found, rest = page.read_text(encoding="utf-8").partition(mark)
    _, ended, after = rest.partition(END)
    if not found or not ended:
        raise ValueError(f"{page} lacks the line {mark} or {END} after it")
    page.write_text(f"{before}{mark}\n\n{text}\n\n{END}{after}", encoding="utf-8")
