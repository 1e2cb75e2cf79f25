"""Pieces of HTML that every section uses. Whatever comes from a run goes through here and is escaped."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape


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
