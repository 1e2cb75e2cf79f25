"""The rows that went wrong, with pictures and clips."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from html import escape

from hpvqa.dataset.rows import Row
from hpvqa.evaluate.command import asking_again
from hpvqa.evaluate.prediction import Prediction
from hpvqa.report.failures import failures_of, kind_of
from hpvqa.report.html.media import Clips, Strip
from hpvqa.report.html.text import named, section, tag, words
from hpvqa.report.source import Run

MOST = 12
"""How many rows of a run are shown."""


def gallery(runs: Sequence[Run], clips: Clips) -> str:
    """What went wrong in every run."""
    parts = "".join(tag("div", _of_run(run, clips), "run") for run in runs)
    note = ""
    if clips.linked:
        note = words(
            f"{clips.inside} clips are in this page, which would grow too large with more; {clips.linked} are links "
            "into their data set, and open as long as neither is moved.",
            "p",
            "note",
        )
    return section("Errors", "failures", note + parts)


def _of_run(run: Run, clips: Clips) -> str:
    found = failures_of(run.main)
    title = tag("h3", named(run.name, run.marks))
    if not found:
        return title + words("Every row was answered correctly.", "p", "note")
    counts = [(kind, sum(kind_of(row) == kind for row in found)) for kind in ("wrong", "invalid", "failed")]
    said = ", ".join(f"{count} {kind}" for kind, count in counts if count)
    shown = found[:MOST]
    which = f"{len(shown)}, spread over tasks and cameras" if len(found) > len(shown) else "all"
    note = words(f"Of {len(run.main)} rows, {said}. Shown: {which}.", "p", "note")
    if run.dataset is None:
        if run.settings is not None:
            note += words(f"No pictures or clips: {run.settings.dataset} is not there any more, or has changed.", "p")
        return title + note + _rows(shown)
    known = _known(run)
    return title + note + tag("div", "".join(_card(run, row, known, clips) for row in shown), "gallery")


def _known(run: Run) -> dict[tuple[str, str], Row]:
    """What the data set says of every clip, by split and name."""
    if run.dataset is None:
        return {}
    splits = dict.fromkeys(prediction.split for prediction in run.predictions)
    return {(split, row.file_name): row for split in splits for row in run.dataset.comparisons(split)}


def _card(run: Run, row: Prediction, known: dict[tuple[str, str], Row], clips: Clips) -> str:
    clip = run.clip(row)
    facts = known.get((row.split, row.clip))
    strip = clips.strip(clip, facts) if clip and facts and facts.frames else Strip("", "the clip is not there")
    what = f"{row.task} episode {row.episode}, {row.camera}"
    if strip.uri:
        picture = f'<img src="{strip.uri}" alt="{escape(what)}: {escape(strip.words)}" loading="lazy">'
        picture += words(strip.words, "p", "moments")
    else:
        picture = words(f"no picture: {strip.words}", "div", "nothing")
    again = "" if run.settings is None else shlex.join(asking_again(run.settings.command, row))
    body = (
        words(_verdict(row), "p", "verdict")
        + words(row.question, "p")
        + words(_where(row), "p", "where")
        + (clips.player(clip) if clip and strip.uri else "")
        + (tag("details", words("Ask again", "summary") + words(again, "pre")) if again else "")
    )
    parts = {"run": run.name, "task": row.task, "camera": row.camera, "kind": kind_of(row) or ""}
    data = "".join(f' data-{name}="{escape(value)}"' for name, value in parts.items())
    return f'<article class="card"{data}>{picture}{tag("div", body, "body")}</article>'


def _rows(shown: Sequence[Prediction]) -> str:
    """The same without pictures, where there are no clips."""
    lines = "".join(
        tag("tr", words(row.file_name, "td") + words(_verdict(row), "td") + words(row.text[:80], "td")) for row in shown
    )
    head = tag("thead", tag("tr", "".join(words(name, "th") for name in ("clip", "verdict", "said"))))
    return tag("details", words("List", "summary") + tag("div", tag("table", head + tag("tbody", lines)), "scroll"))


def _verdict(row: Prediction) -> str:
    if row.error is not None:
        return f"Not answered: {row.error}"
    if row.prediction is None:
        return f"Invalid: “{row.text[:120]}”, truth {row.answer}"
    return f"Said {row.prediction}, truth {row.answer}"


def _where(row: Prediction) -> str:
    parts = [row.task, f"episode {row.episode}", row.camera]
    if row.p_left is not None:
        parts.append(f"P(left) {row.p_left:.3f}")
    if row.gap is not None:
        parts.append(f"gap {row.gap:.2f}")
    return " · ".join(parts)
