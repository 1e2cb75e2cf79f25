"""A score card as a page, in the look of the other reports: one file, to open anywhere."""

from __future__ import annotations

from collections.abc import Mapping
from html import escape
from importlib.resources import files
from pathlib import Path

from hpvqa.files import write_text
from hpvqa.report.html.svg import Lane, Mark, forest, legend_mark
from hpvqa.report.html.text import facts, figure, figures, named, section, table, tag, words
from hpvqa.report.tables.words import share
from hpvqa.suite.card import HEADLINE, MEASURES, Card, Score, Section, Who
from hpvqa.suite.compare import Comparison
from hpvqa.suite.tables import by_task, differences, ends, overview, title

_COLOURS: Mapping[Who, int] = {"model": 0, "pixels": 1, "ceiling": 2, "random": 3}
_LEGEND = "Bars: 95 % intervals over episodes. Dashed line: 0.5. Tick: always the more frequent answer."


def write_page(card: Card, path: Path) -> None:
    """Write the page of a card.

    Raises:
        RunError: The disk does not take it.
    """
    write_text(path, page(card))


def write_comparison(found: Comparison, path: Path) -> None:
    """Write the page of two cards.

    Raises:
        RunError: The disk does not take it.
    """
    head = words("Hidden physical properties · two score cards", "p", "eyebrow")
    head += words(f"{found.a} and {found.b}", "h1")
    write_text(path, _document(f"{found.a} and {found.b}", head, table(differences(found))))


def page(card: Card) -> str:
    """The HTML of a card."""
    head = words(f"Hidden physical properties · suite {card.suite}", "p", "eyebrow")
    head += tag("h1", named(card.model, ("privileged",) if card.privileged else ()))
    if card.headline is not None:
        head += words(f"{share(card.headline.share)} (95 % {ends(card.headline)})", "p", "lead")
    head += words(HEADLINE, "p") + "".join(words(note, "p", "warn") for note in card.notes)
    drawn = [_figure(one) for one in card.sections if len(one.tasks) > 1]
    key = "".join(tag("span", legend_mark(number) + named(who, ())) for who, number in _COLOURS.items())
    body = section("Scores", "scores", table(overview(card)) + tag("p", key, "key") + figures(drawn))
    tables = "".join(table(grid) for grid in by_task(card))
    body += section("By task", "tasks", tag("details", words("All numbers", "summary") + tables))
    return _document(card.model, head, body + _provenance(card))


def _figure(one: Section) -> str:
    """A row a task: the model first, and those that it stands beside."""
    lanes = []
    for name, entry in one.tasks.items():
        blind = entry.scores.get("majority")
        marks = [
            _mark(who, entry.scores[who], None if blind is None else blind.share)
            for who in _COLOURS
            if who in entry.scores
        ]
        model = entry.scores.get("model")
        lanes.append(Lane(name, "" if model is None else share(model.share), marks))
    return figure(title(one), forest(lanes, title(one), MEASURES[one.form]), _LEGEND)


def _mark(who: Who, score: Score, blind: float | None) -> Mark:
    return Mark(
        score.share, score.low, score.high, _COLOURS[who], f"{who}: {share(score.share)}, {ends(score)}", None, blind
    )


def _provenance(card: Card) -> str:
    pairs = [("suite", f"{card.suite}, {card.digest}"), ("backend", card.backend)]
    pairs += [(name, str(value)) for name, value in card.details.items()]
    pairs += [(f"version of {name}", version) for name, version in card.versions.items()]
    prints = [(f"{one.part}, {one.form}", one.fingerprint) for one in card.sections]
    return section("How it was made", "provenance", facts(pairs) + words("Fingerprints", "h3") + facts(prints))


def _document(name: str, head: str, body: str) -> str:
    style = (files("hpvqa.report.html") / "page.css").read_text(encoding="utf-8")
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(name)}</title><style>{style}</style></head>\n<body>"
        f"{tag('header', head)}<main>{body}</main></body></html>\n"
    )
