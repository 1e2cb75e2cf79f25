"""Pieces of HTML that every section uses, and tables. Whatever comes from a run goes through here and is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from hpvqa.report.grid import Grid


def tag(name: str, content: str, kind: str = "") -> str:
    """An element around HTML."""
    opening = f'{name} class="{kind}"' if kind else name
    return f"<{opening}>{content}</{name}>"


def words(text: object, name: str = "span", kind: str = "") -> str:
    """An element around plain text."""
    return tag(name, escape(str(text)), kind)


def figure(title: str, drawing: str, caption: str) -> str:
    """A drawing with plain words over and under it."""
    return tag("figure", words(title, "h4") + drawing + words(caption, "figcaption"))


def figures(drawn: Sequence[str]) -> str:
    """Figures side by side where there is room."""
    return tag("div", "".join(drawn), "figures") if drawn else ""


def section(title: str, anchor: str, content: str) -> str:
    """A part of the page; none without content."""
    return f'<section id="{anchor}">{words(title, "h2")}{content}</section>' if content else ""


def facts(pairs: Sequence[tuple[str, str]]) -> str:
    """Names and plain values, one a line."""
    return tag("dl", "".join(words(name, "dt") + words(value, "dd") for name, value in pairs))


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
    findings = "".join(words(finding, "p", "warn") for finding in grid.findings)
    box = scrolled(grid.title, tag("table", head + "".join(bodies)))
    return words(grid.title, "h3") + findings + box + (words(grid.caption, "p", "note") if grid.caption else "")


def scrolled(label: str, content: str) -> str:
    """A box for what may be wider than the page; it can be reached by keyboard, so that it can be scrolled by one."""
    return f'<div class="scroll" tabindex="0" role="group" aria-label="{escape(label)}">{content}</div>'


def named(name: str, marks: Sequence[str]) -> str:
    """A name with its marks beside it."""
    return words(name) + "".join(words(mark, "span", "badge") for mark in marks)
