"""The page as a whole."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from hpvqa.report import tables
from hpvqa.report.html.curves import calibration_figures, gap_figures, lean_figures
from hpvqa.report.html.gallery import gallery
from hpvqa.report.html.media import Clips
from hpvqa.report.html.provenance import provenance
from hpvqa.report.html.scores import accuracy_figures, camera_figures, condition_figures, side_figures
from hpvqa.report.html.svg import legend_mark
from hpvqa.report.html.table import named, table
from hpvqa.report.html.text import section, tag, words
from hpvqa.report.measure import Report
from hpvqa.report.source import Run
from hpvqa.report.writing import write_text

CLIP_BUDGET = 16_000_000
"""Most bytes of video in the page; mail and chat programs take files of this size."""
_STYLE = Path(__file__).with_name("page.css")
_CONDITIONS = (tables.explanation_grid, tables.conditions_grid, tables.flips_grid)


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
    sections = {
        "accuracy": ("Accuracy", accuracy_figures(report) + _tables(report, tables.accuracy_grid, tables.tuned_grid)),
        "bias": (
            "Left or right",
            side_figures(report) + lean_figures(report) + _tables(report, tables.sides_grid, tables.bias_grid),
        ),
        "gap": ("How large a difference it takes", gap_figures(report) + _folded(report, tables.gap_grid)),
        "conditions": ("What the answers rest on", condition_figures(report) + _tables(report, *_CONDITIONS)),
        "cameras": ("From where it was seen", camera_figures(report) + _folded(report, tables.camera_grid)),
        "calibration": ("How true probabilities are", calibration_figures(report)),
        "comparisons": ("Run against run", _tables(report, tables.comparison_grid) + _notes(report)),
    }
    body = "".join(section(title, anchor, content) for anchor, (title, content) in sections.items())
    body += gallery(runs, clips) + provenance(report, list(runs))
    shown = {anchor: title for anchor, (title, content) in sections.items() if content}
    shown |= {"failures": "What went wrong", "provenance": "How this was made"}
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="generator" content="hpvqa {escape(report.version)}">'
        f"{words(_title(report), 'title')}<style>{_STYLE.read_text(encoding='utf-8')}</style></head>\n<body>"
        f"{_header(report, shown)}<main>{body}</main>{_footer(report)}</body></html>\n"
    )


def _title(report: Report) -> str:
    names = [run.name for run in report.runs]
    return " and ".join(names) if len(names) < 3 else f"{len(names)} runs side by side"


def _header(report: Report, sections: dict[str, str]) -> str:
    links = "".join(f'<a href="#{anchor}">{escape(title)}</a>' for anchor, title in sections.items())
    lead = (
        "A robot pushes cubes and drops spheres; asked is which one is heavier, or more elastic. Every interval is "
        "over episodes: several views of one episode are not several samples."
    )
    items = "".join(
        tag("li", legend_mark(number) + named(run.name, run.marks) + words(_about(report, number), "span", "note"))
        for number, run in enumerate(report.runs)
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
        + table(tables.runs_grid(report)),
    )


def _about(report: Report, number: int) -> str:
    run = report.runs[number]
    parts = [] if run.model == run.name else [run.model]
    parts += [] if run.adapter is None else [f"adapter {run.adapter}"]
    return ", ".join(parts)


def _tables(report: Report, *makers: tables.Maker) -> str:
    return "".join(table(maker(report)) for maker in makers)


def _folded(report: Report, maker: tables.Maker) -> str:
    """A long table that is opened when it is wanted."""
    content = _tables(report, maker)
    return tag("details", words("All numbers", "summary") + content) if content else ""


def _notes(report: Report) -> str:
    return "".join(words(note, "p", "warn") for note in report.notes)


def _footer(report: Report) -> str:
    return tag("footer", words(f"hpvqa {report.version} · {report.created}", "p"))
