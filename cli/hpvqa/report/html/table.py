"""A table of the page."""

from __future__ import annotations

from collections.abc import Sequence

from hpvqa.report.grid import Grid
from hpvqa.report.html.text import tag, words


def table(grid: Grid | None) -> str:
    """A table that scrolls within its own box where the page is narrow; nothing for none."""
    if grid is None:
        return ""
    head = tag("thead", tag("tr", "".join(words(name, "th") for name in grid.columns)))
    bodies = []
    for group in grid.groups:
        rows = [
            tag(
                "tr",
                tag("td", named(line.cells[0], line.marks)) + "".join(words(cell, "td") for cell in line.cells[1:]),
            )
            for line in group.lines
        ]
        if group.heading:
            heading = named(group.heading, group.marks)
            # Within the cell, so that it can stay in view and wrap where the table is wider than the page.
            heading = f'<th colspan="{len(grid.columns)}" scope="rowgroup"><div>{heading}</div></th>'
            rows.insert(0, tag("tr", heading))
        bodies.append(tag("tbody", "".join(rows)))
    # The box can be reached by keyboard, so that it can be scrolled by one.
    box = f'<div class="scroll" tabindex="0">{tag("table", head + "".join(bodies))}</div>'
    findings = "".join(words(finding, "p", "warn") for finding in grid.findings)
    return words(grid.title, "h3") + findings + box + (words(grid.caption, "p", "note") if grid.caption else "")


def named(name: str, marks: Sequence[str]) -> str:
    """A name with its marks beside it."""
    return words(name) + "".join(words(mark, "span", "badge") for mark in marks)
