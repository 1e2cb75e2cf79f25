"""The answers about an episode, for a person and for programs."""

from __future__ import annotations

import json

import click
from rich.table import Table
from rich.text import Text

from hpvqa.ask.result import Asked, ViewAnswer
from hpvqa.errors import printable
from hpvqa.evaluate.chances import likelier
from hpvqa.progress.console import PlainConsole
from hpvqa.scene.spec import SIDES
from hpvqa.vlm.protocol import Answer
from hpvqa.vlm.thoughts import spoken


class Printer:
    """Prints what is answered.

    Args:
        reveal: Whether to tell the truth, too.
        as_json: Whether it is for a program.
        lines: Whether several episodes follow each other.
    """

    def __init__(self, *, reveal: bool, as_json: bool, lines: bool) -> None:
        self._reveal = reveal
        self._as_json = as_json
        self._lines = lines
        self._console = PlainConsole()
        self._heard: str | None = None

    def tell(self, sentence: str) -> None:
        """Say something that is no answer."""
        click.echo(printable(sentence), err=True)

    def on_text(self, camera: str, text: str) -> None:
        """Print a piece of an answer as it comes."""
        if camera != self._heard:
            click.echo(f"{'' if self._heard is None else chr(10)}{camera}: ", nl=False)
            self._heard = camera
        click.echo(printable(text), nl=False)

    def show(self, asked: Asked) -> None:
        """Print the answers about one episode."""
        if self._as_json:
            click.echo(json.dumps(asked.as_json(reveal=self._reveal), indent=None if self._lines else 2))
            return
        if self._heard is not None:
            click.echo()
        if asked.free:
            self._show_text(asked)
        else:
            self._console.print(_text(f"{asked.folder}: {asked.question}"), soft_wrap=True)
            self._console.print(_table(asked))
            for view in asked.views:
                if view.answer.error:
                    self._console.print(_text(_error(view)), soft_wrap=True)
        if self._reveal:
            self._console.print(_text(_truth(asked)), soft_wrap=True)
        self._heard = None

    def _show_text(self, asked: Asked) -> None:
        for view in asked.views:
            if view.answer.error:
                self._console.print(_text(_error(view)), soft_wrap=True)
            elif self._heard is None:
                self._console.print(_text(f"{view.camera}: {view.answer.text.strip()}"), soft_wrap=True)


def _table(asked: Asked) -> Table:
    pooled = asked.pooled if len(asked.views) > 1 else None
    drawn = any(view.answer.shares is not None for view in asked.views)
    captions = [
        *(["P: share of the answers that were drawn"] if drawn else []),
        *(["pooled: mean log-odds of the cameras"] if pooled is not None else []),
    ]
    table = Table(caption="; ".join(captions) or None, caption_justify="left")
    table.add_column("camera")
    table.add_column("answer")
    for side in SIDES:
        table.add_column(f"P({side})", justify="right")
    for view in asked.views:
        table.add_row(view.camera, _word(view.answer), *_probabilities(view))
    if pooled is not None:
        table.add_section()
        table.add_row("pooled", likelier(pooled), f"{pooled:.3f}", f"{1 - pooled:.3f}", style="bold")
    return table


def _text(text: str) -> Text:
    """A text that a model, a server or the author of an episode may have written, safe to show."""
    return Text(printable(text))


def _error(view: ViewAnswer) -> str:
    return f"{view.camera} has no answer: {view.answer.error}"


def _word(answer: Answer) -> Text:
    if answer.error:
        return Text("error")
    if answer.choice:
        return _text(answer.choice)
    said = spoken(answer.text)
    return _text("no answer: it still thought" if said is None else f"neither: {said.strip()!r}")


def _probabilities(view: ViewAnswer) -> tuple[str, str]:
    p = view.p_left
    return ("-", "-") if p is None else (f"{p:.3f}", f"{1 - p:.3f}")


def _truth(asked: Asked) -> str:
    spec, task = asked.record.spec, asked.record.task
    values = ", ".join(f"{name} {value:.3f}" for name, value in task.values(spec).items())
    return f"Truth: {task.answer(spec)} ({task.hidden}: {values})"
