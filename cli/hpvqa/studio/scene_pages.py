"""What the pages about played scenes say: a list of all, and each scene step by step."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import Literal
from urllib.parse import quote

from hpvqa import __version__
from hpvqa.explore.runs.record import Played, StepRecord
from hpvqa.explore.scores.calibration import believed
from hpvqa.explore.scores.measure import justified
from hpvqa.report.html.svg import Lane, Mark, forest
from hpvqa.report.html.text import facts, scrolled, section, tag, words
from hpvqa.studio.content import HOME

Verdict = Literal["justified", "lucky", "wrong", "no answer", "not played"]
_POLICY = "default-src 'none'; script-src 'self' file:; style-src 'self' file:; img-src 'self' file: data:"


@dataclass(frozen=True)
class Told:
    """What a run did in a scene.

    Attributes:
        number: Of the run, from 0.
        run: Its name.
        played: The scene; None where it was not played.
    """

    number: int
    run: str
    played: Played | None

    @property
    def verdict(self) -> Verdict:
        """How it ended: a justified answer follows from what was seen, a lucky one is correct and does not."""
        if self.played is None:
            return "not played"
        if self.played.ending.said is None:
            return "no answer"
        if not self.played.correct:
            return "wrong"
        return "justified" if justified(self.played) else "lucky"


def index_page(runs: Sequence[str], told: Mapping[str, Sequence[Told]]) -> str:
    """All scenes as cards, with filters.

    Args:
        runs: Names of the runs.
        told: What each of them did, by the scenes' keys.
    """
    count = f"{len(told)} scenes, played by {', '.join(runs)}. Shown by hpvqa {__version__}."
    head = words("hpvqa studio", "p", "eyebrow") + words(runs[0], "h1") + words(count, "p", "note")
    cards = "".join(_card(key, of) for key, of in told.items())
    body = (
        tag("header", head)
        + '<form id="filters" class="filters" aria-label="Filters"></form>'
        + '<p id="count" class="note" role="status"></p>'
        + f'<ul id="cards" class="cards" aria-label="Scenes">{cards}</ul>'
    )
    return _page(runs[0], tag("main", body), "")


def scene_page(key: str, told: Sequence[Told], beside: tuple[str | None, str | None]) -> str:
    """One scene as each run played it.

    Args:
        key: Of the scene.
        told: What each run did.
        beside: Keys of the scenes before and after it.
    """
    first = next(one.played.ending for one in told if one.played is not None)
    links = [("All scenes", f"../{HOME}"), *zip(("Previous", "Next"), map(_address, beside), strict=True)]
    steps = "".join(f'<a href="{where}">{name}</a>' for name, where in links if where)
    truth = facts(
        [
            ("True answer", first.answer),
            ("First view", "suffices" if first.sufficient else "does not suffice"),
            ("Decisions of an ideal observer", str(first.planned)),
            ("Twins", f"group {first.group}, twin {first.twin}"),
            ("Scene", first.scene),
        ]
    )
    body = (
        f'<nav class="steps" aria-label="Scenes">{steps}</nav>'
        + words(f"{first.family} · {first.type}{' · held out' if first.held_out else ''} · {key}", "p", "eyebrow")
        + words(first.question, "h1")
        + tag("details", words("Truth", "summary") + truth)
        + "".join(section(one.run, f"run-{one.number}", _course(one)) for one in told)
    )
    return _page(first.question, tag("main", body), "../")


def _address(key: str | None) -> str | None:
    return None if key is None else f"{quote(key)}.html"


def _card(key: str, told: Sequence[Told]) -> str:
    first = next(one.played for one in told if one.played is not None)
    ending, shot = first.ending, first.steps[0].shot
    picture = words("no picture", "span", "nothing") if shot is None else _image(f"shots/{shot}.png", "")
    name = words(f"{ending.type} {ending.index}", "span", "name")
    scores = "".join(
        words(f"{one.run}: {one.verdict}", "span", "score" if one.verdict == "justified" else "score wrong")
        for one in told
        if one.played is not None
    )
    values = {"family": ending.family, "type": ending.type, "kept": "held out" if ending.held_out else "seen"}
    values |= {f"run{one.number}": one.verdict for one in told}
    names = {"family": "family", "type": "type", "kept": "types"} | {f"run{one.number}": one.run for one in told}
    data = "".join(f' data-{name}="{escape(value)}"' for name, value in values.items())
    data += "".join(f' data-{name}-label="{escape(label)}"' for name, label in names.items())
    link = f'<a href="scenes/{quote(key)}.html">{picture}{name}</a>'
    return f'<li class="card"{data}>{link}{tag("p", scores, "scores")}</li>'


def _course(told: Told) -> str:
    """All steps of a run, and how it ended."""
    if told.played is None:
        return words("This run did not play the scene.", "p", "note")
    said = told.played.ending.said
    end = "It ended without an answer." if said is None else f"It answered {said}."
    verdict = tag("details", words("How good that is", "summary") + words(f"{told.verdict.capitalize()}.", "p"))
    steps = "".join(_step(step) for step in told.played.steps)
    return steps + words(end, "p", "lead") + verdict


def _step(step: StepRecord) -> str:
    truth = step.privileged
    shown = words(step.facts, "p", "note") if step.facts else ""
    if step.shot is not None:
        shown = _image(f"../shots/{step.shot}.png", f"What was seen at step {step.step}") + shown
    who = " (given: done for the agent)" if step.given else ""
    chosen = step.chosen
    choice = f"chose {chosen.letter}: {chosen.text}" if chosen else f"no valid choice: {step.error or 'nothing read'}"
    enough = "What was seen suffices" if truth.sufficient else f"{truth.entropy:.2f} bit of the answer is open"
    more = words(f"{enough}; {choice}.", "p")
    if step.mishap is not None:
        more += words(step.mishap, "p", "warn")
    if step.thought:
        more += tag("details", words("What it thought", "summary") + words(step.thought, "pre"))
    head = words(f"Step {step.step}: from {step.view}{who}", "h3")
    return tag("article", head + tag("div", shown + _belief(step), "seen") + more + _options(step), "step")


def _belief(step: StepRecord) -> str:
    """How likely each answer is: to an ideal observer, and to the agent where that is known."""
    exact, own = step.privileged.posterior, believed(step) or {}
    answers = [option.action.target for option in step.options if option.action.kind == "answer"]
    lanes = []
    for answer in dict.fromkeys([*sorted(answers), *sorted(exact)]):
        marks = [_mark(exact.get(answer, 0.0), 0, "exact")]
        marks += [_mark(own[answer], 1, "the agent")] if answer in own else []
        detail = f"exact {exact.get(answer, 0.0):.2f}" + (f", agent {own[answer]:.2f}" if answer in own else "")
        lanes.append(Lane(answer, detail, marks))
    return tag("figure", forest(lanes, "Belief", "how likely each answer is"))


def _mark(value: float, color: int, whose: str) -> Mark:
    return Mark(value, None, None, color, f"{whose}: {value:.3f}")


def _options(step: StepRecord) -> str:
    """What could be chosen, and what each choice was worth."""
    own = step.logprobs or {}
    columns = ("", "option", "expected gain [bit]", "value [bit an action]", *(["log-probability"] if own else []))
    rows = []
    for option in sorted(step.options, key=lambda one: one.letter):
        truth, letter = step.privileged, option.letter
        marks = [name for name, holds in (("chosen", letter == step.letter), ("best", letter in truth.best)) if holds]
        cells = [words(letter, "th"), tag("td", words(option.text) + "".join(words(m, "span", "badge") for m in marks))]
        cells += [words(_number(numbers.get(letter)), "td") for numbers in (truth.gains, truth.values)]
        cells += [words(_number(own.get(letter)), "td")] if own else []
        rows.append(tag("tr", "".join(cells)))
    head = tag("thead", tag("tr", "".join(words(name, "th") for name in columns)))
    return scrolled(f"Options of step {step.step}", tag("table", head + tag("tbody", "".join(rows)), "options"))


def _number(value: float | None) -> str:
    return "" if value is None else f"{value:.3f}"


def _image(address: str, said: str) -> str:
    return f'<img src="{escape(address)}" alt="{escape(said)}" loading="lazy" decoding="async">'


def _page(title: str, body: str, up: str) -> str:
    return (
        '<!DOCTYPE html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">'
        f"{words(f'{title} · hpvqa studio', 'title')}"
        f'<link rel="icon" href="data:,"><link rel="stylesheet" href="{up}page.css">'
        f'<link rel="stylesheet" href="{up}studio.css"></head>\n<body>{body}<script src="{up}scenes.js"></script>'
        "</body></html>\n"
    )
