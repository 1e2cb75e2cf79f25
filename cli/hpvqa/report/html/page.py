"""The page as a whole."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from html import escape
from pathlib import Path

from hpvqa.files import write_text
from hpvqa.report.html.curves import calibration_figures, gap_figures, lean_figures, value_figures
from hpvqa.report.html.gallery import gallery
from hpvqa.report.html.media import Clips
from hpvqa.report.html.provenance import provenance
from hpvqa.report.html.scores import (
    accuracy_figures,
    camera_figures,
    condition_figures,
    shift_figures,
    side_figures,
)
from hpvqa.report.html.svg import legend_mark
from hpvqa.report.html.text import named, section, table, tag, words
from hpvqa.report.measure import Report
from hpvqa.report.source import Run
from hpvqa.report.tables import Maker
from hpvqa.report.tables.bias import bias_grid, probabilities_grid
from hpvqa.report.tables.comparisons import camera_comparison_grid, comparison_grid, tuned_grid
from hpvqa.report.tables.conditions import conditions_grid, explanation_grid, flips_grid
from hpvqa.report.tables.perspective import perspective_grid
from hpvqa.report.tables.scores import (
    accuracy_grid,
    camera_grid,
    gap_grid,
    pooled_grid,
    runs_grid,
    sides_grid,
    threshold_grid,
)
from hpvqa.report.tables.shifts import shift_grid
from hpvqa.report.tables.values import sureness_grid, values_conditions_grid, values_grid

CLIP_BUDGET = 3_000_000
"""Most bytes of video in the page, so that it opens at once, also from a mail or on a phone."""
_STYLE = Path(__file__).with_name("page.css")
_SCRIPT = Path(__file__).with_name("page.js")


@dataclass(frozen=True)
class Section:
    """A part of the page; it is left out where it has nothing to show.

    Attributes:
        anchor: Its name in links.
        title: Its heading.
        figures: What draws its figures.
        tables: What makes its tables.
        folded: What makes tables that are long and opened only when wanted.
        key: Whether its figures tell runs apart by their marks alone.
    """

    anchor: str
    title: str
    figures: Sequence[Callable[[Report], str]] = ()
    tables: Sequence[Maker] = ()
    folded: Sequence[Maker] = ()
    key: bool = False


_PARTS = (
    Section("accuracy", "Accuracy", [accuracy_figures], [accuracy_grid, tuned_grid]),
    Section("shifts", "On shifts", [shift_figures], [shift_grid]),
    Section(
        "bias",
        "Response bias",
        [side_figures, lean_figures],
        [sides_grid, bias_grid, probabilities_grid],
        key=True,
    ),
    Section("values", "Values", [value_figures], [values_grid, values_conditions_grid], [sureness_grid], key=True),
    Section("gap", "By difficulty", [gap_figures], [threshold_grid], [gap_grid], key=True),
    Section(
        "conditions",
        "By condition",
        [condition_figures],
        [explanation_grid, conditions_grid, flips_grid],
        key=True,
    ),
    Section("cameras", "By camera", [camera_figures], [perspective_grid, pooled_grid], [camera_grid], key=True),
    Section("calibration", "Calibration", [calibration_figures], key=True),
    Section("comparisons", "Comparison of runs", (), [comparison_grid], [camera_comparison_grid]),
)


def write_page(report: Report, runs: Sequence[Run], path: Path, *, clip_budget: int = CLIP_BUDGET) -> None:
    """Write the page: one file that needs no other, except for clips beyond the budget.

    Args:
        report: What is shown.
        runs: The runs behind it, in the same order.
        path: The file.
        clip_budget: Most bytes of video in it.

    Raises:
        RunError: The disk does not take it.
    """
    write_text(path, page(report, runs, Clips(path.parent, clip_budget)))


def page(report: Report, runs: Sequence[Run], clips: Clips) -> str:
    """The page's HTML."""
    contents = {part.anchor: (part.title, _content(part, report)) for part in _PARTS}
    body = "".join(section(title, anchor, content) for anchor, (title, content) in contents.items())
    body += gallery(runs, clips) + provenance(report, runs)
    shown = {anchor: title for anchor, (title, content) in contents.items() if content}
    shown |= {"failures": "Errors", "provenance": "How this report was made"}
    style, script = (path.read_text(encoding="utf-8") for path in (_STYLE, _SCRIPT))
    # Whatever a run says, the page loads nothing, and runs no script but its own.
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    policy = (
        f"default-src 'none'; img-src data:; media-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'"
    )
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="hpvqa {escape(report.version)}">'
        f"{words(_title(report), 'title')}<style>{style}</style></head>\n<body>"
        f"{_header(report, shown)}<main>{body}</main>{_footer(report)}<script>{script}</script></body></html>\n"
    )


def _title(report: Report) -> str:
    names = [run.name for run in report.runs]
    return " and ".join(names) if len(names) < 3 else f"{len(names)} runs side by side"


def _header(report: Report, sections: dict[str, str]) -> str:
    links = "".join(f'<a href="#{anchor}">{escape(title)}</a>' for anchor, title in sections.items())
    lead = (
        "A robot does an experiment on things that look alike; the question is about a property that cannot be seen "
        "before it acts. Every interval is over episodes, because several views of one episode are not independent "
        "samples."
    )
    items = "".join(
        tag("li", _marked(report, number) + words(_about(report, number), "span", "note"))
        for number in range(len(report.runs))
    )
    warnings = "".join(words(f"{run.name}: {note}.", "p", "warn") for run in report.runs for note in run.notes)
    return tag(
        "header",
        words("Hidden physical properties · evaluation report", "p", "eyebrow")
        + words(_title(report), "h1")
        + words(lead, "p", "lead")
        + tag("ul", items, "runs")
        + warnings
        + tag("nav", links)
        + table(runs_grid(report)),
    )


def _marked(report: Report, number: int) -> str:
    """A run's mark in figures, and its name."""
    run = report.runs[number]
    return legend_mark(number) + named(run.name, run.marks)


def _about(report: Report, number: int) -> str:
    run = report.runs[number]
    parts = [] if run.model == run.name else [run.model]
    parts += [] if run.adapter in (None, run.model) else [f"adapter {run.adapter}"]
    return ", ".join(parts)


def _content(part: Section, report: Report) -> str:
    drawn = "".join(draw(report) for draw in part.figures)
    if drawn and part.key and len(report.runs) > 1:
        marks = "".join(tag("span", _marked(report, number)) for number in range(len(report.runs)))
        drawn = tag("p", marks, "key") + drawn
    shown = "".join(table(maker(report)) for maker in part.tables)
    folded = "".join(table(maker(report)) for maker in part.folded)
    notes = "".join(words(note, "p", "warn") for note in report.notes) if part.anchor == "comparisons" else ""
    return drawn + shown + (tag("details", words("All numbers", "summary") + folded) if folded else "") + notes


def _footer(report: Report) -> str:
    return tag("footer", words(f"hpvqa {report.version} · {report.created} · terms: docs/glossary.md in hpvqa", "p"))
