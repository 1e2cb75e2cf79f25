"""A report as a page: one file, to open anywhere."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from importlib.resources import files
from pathlib import Path

from hpvqa.explore.scores.report import Report, RunReport
from hpvqa.explore.scores.split import Split
from hpvqa.explore.scores.tables import grids
from hpvqa.files import write_text
from hpvqa.report.html.svg import Chart, legend_mark
from hpvqa.report.html.text import figure, named, section, table, tag, words

_WIDTH, _LINE, _LEFT, _BAR = 640, 30, 170, 400
_HUES = {"correct": "#2a78b5", "choosing": "#d9822b", "seeing": "#8a5fbf", "putting together": "#9a9a9a"}


def write_page(report: Report, path: Path) -> None:
    """Write the page.

    Raises:
        RunError: The disk does not take it.
    """
    write_text(path, page(report))


def page(report: Report) -> str:
    """The page's HTML."""
    style = (files("hpvqa.report.html") / "page.css").read_text(encoding="utf-8")
    names = ", ".join(run.name for run in report.runs)
    drawn = "".join(figure(split.agent, drawing(split), " ".join(split.sentences())) for split in report.splits)
    body = section("Where it fails", "split", drawn)
    body += section("Gain by step", "gain", gains([run for run in report.runs if run.scores.gain_by_step]))
    body += section("Scores", "scores", "".join(table(grid) for grid in grids(report)))
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{words(names, 'title')}<style>{style}</style></head>\n<body>"
        + tag("header", words("Active visual reasoning · report", "p", "eyebrow") + words(names, "h1"))
        + f"<main>{body}</main></body></html>\n"
    )


def parts(split: Split) -> dict[str, float]:
    """How all scenes divide: correct answers, and what the others are lost by; they sum up to 1."""
    found = {"correct": split.active.value}
    left = 1 - split.active.value
    for name, lost in (("choosing", split.choosing), ("seeing", split.seeing)):
        found[name] = min(max(lost or 0.0, 0.0), left)
        left -= found[name]
    return {**found, "putting together": max(left, 0.0)}


def gains(runs: Sequence[RunReport]) -> str:
    """What each decision of some runs gained, beside the best that could be done in its place; nothing for none."""
    if not runs:
        return ""
    steps = [step for run in runs for step in run.scores.gain_by_step]
    most = max(step.best for step in steps)
    chart = Chart(
        (0, max(max(step.step for step in steps), 1)), (0, 1.05 * (most or 1.0)), "decision", "gain [bit an action]"
    )
    for number, run in enumerate(runs):
        at = [float(step.step) for step in run.scores.gain_by_step]
        chart.curve(at, [step.best for step in run.scores.gain_by_step], number, faint=True)
        chart.curve(at, [step.taken for step in run.scores.gain_by_step], number)
        for step in run.scores.gain_by_step:
            tip = f"{run.name}, decision {step.step}: {step.taken:.3f} of {step.best:.3f} bit, {step.decisions} scenes"
            chart.point(step.step, step.taken, None, None, number, tip)
    said = "; ".join(
        f"{run.name}: " + ", ".join(f"{step.taken:.2f} of {step.best:.2f}" for step in run.scores.gain_by_step)
        for run in runs
    )
    names = "".join(tag("li", legend_mark(number) + named(run.name, ())) for number, run in enumerate(runs))
    caption = (
        "Expected information an action along the chosen way, on average over the scenes in which what was seen did "
        "not suffice. Dotted: the best that could be done in the same places, as an ideal observer does. Few scenes "
        "last long, so what stands at the right is of few."
    )
    drawn = chart.drawing.render("Gain by step", said)
    return tag("ul", names, "runs") + figure("What each decision gained", drawn, caption)


def drawing(split: Split) -> str:
    """A bar of the correct answers and of what the others are lost by, and one for each condition."""
    bars = [("active", split.active), ("yoked", split.yoked), ("facts", split.facts)]
    shown = [(name, one) for name, one in bars if one is not None]
    height = _LINE * (len(shown) + 2)
    pieces = []
    x = float(_LEFT)
    for name, width in parts(split).items():
        pieces.append(_box(x, 4, width * _BAR, _HUES[name], f"{name}: {width:.0%}"))
        if width * _BAR > 7 * len(name):
            pieces.append(_text(x + width * _BAR / 2, 19, name, "middle", "#fff"))
        x += width * _BAR
    pieces.append(_text(_LEFT - 8, 19, "all scenes", "end"))
    for number, (name, one) in enumerate(shown, 1):
        y = 4 + number * _LINE
        pieces.append(_text(_LEFT - 8, y + 15, name, "end"))
        pieces.append(_box(_LEFT, y, one.value * _BAR, _HUES["correct"], f"{name}: {one.value:.0%}"))
        if one.low is not None and one.high is not None:
            low, high = (_LEFT + end * _BAR for end in (one.low, one.high))
            pieces.append(f'<line x1="{low:.1f}" x2="{high:.1f}" y1="{y + 11}" y2="{y + 11}" stroke="currentColor"/>')
        pieces.append(_text(_LEFT + _BAR + 8, y + 15, f"{one.value:.3f}", "start"))
    return f'<svg viewBox="0 0 {_WIDTH} {height}" role="img" aria-label="{escape(split.agent)}">{"".join(pieces)}</svg>'


def _box(x: float, y: float, width: float, hue: str, title: str) -> str:
    return (
        f'<rect x="{x:.1f}" y="{y}" width="{max(width, 0):.1f}" height="22" fill="{hue}">'
        f"<title>{escape(title)}</title></rect>"
    )


def _text(x: float, y: float, said: str, anchor: str, hue: str = "currentColor") -> str:
    return f'<text x="{x:.1f}" y="{y}" text-anchor="{anchor}" font-size="13" fill="{hue}">{escape(said)}</text>'
