"""``hpvqa ask``: a question to a model about an episode."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from hpvqa.commands.common import camera_option, json_option
from hpvqa.commands.model_options import model_options
from hpvqa.errors import INTERRUPTED
from hpvqa.vlm.choice import ModelChoice

_LONGEST = 256
"""Of an answer in the model's own words [tokens]."""
_PAUSE = 0.25
"""Time between two looks into a folder that is watched [s]."""


@click.command(
    epilog="""\b
Examples:
  hpvqa ask --latest data
  hpvqa ask --latest data "which cube looks heavier?"
  hpvqa ask data/push/000/episode-000003 --camera front_wide --reveal
  hpvqa ask --latest data --server http://127.0.0.1:8000/v1
  hpvqa ask --watch data --model ./checkpoint --adapter runs/lora

A question that begins with "which", or that has the words left and right, is answered with one of these words and
its probability; any other one is answered freely. A server's key is read from HPVQA_API_KEY or OPENAI_API_KEY. Exit
code 1 says that a camera could not be asked. Ctrl-C ends --watch.
"""
)
@click.argument("words", nargs=-1, metavar="[EPISODE] [QUESTION]")
@click.option("--latest", type=click.Path(path_type=Path), help="Ask about the newest episode of this data folder.")
@click.option(
    "--watch",
    type=click.Path(path_type=Path),
    help="Ask about every episode that lands in this data folder from now on.",
)
@camera_option("those that the model was trained on, or all")
@model_options
@click.option("--reveal", is_flag=True, help="Show the truth, too.")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    words: tuple[str, ...],
    latest: Path | None,
    watch: Path | None,
    cameras: tuple[str, ...] | None,
    choice: ModelChoice,
    reveal: bool,
    as_json: bool,
) -> None:
    """Ask a model about EPISODE, by default the question of its task.

    It is shown the same frames and words as in hpvqa eval. With --server the model is one behind a server. Works while
    episodes are being collected.
    """
    import os
    import time
    from contextlib import closing

    from hpvqa.ask.episodes import latest_episode, open_episode
    from hpvqa.ask.place import read_words
    from hpvqa.ask.question import make_question
    from hpvqa.ask.run import Asker
    from hpvqa.commands.ask_table import Printer
    from hpvqa.dataset.load import Dataset
    from hpvqa.dataset.manifest import Manifest
    from hpvqa.errors import UsageError
    from hpvqa.vlm.choice import choose_look, open_answerer
    from hpvqa.vlm.registry import ENGINES

    place = read_words(words, latest, watch)
    look = choose_look(choice)
    question = make_question(place.question, look.prompt, choice.scoring)
    if question.free:
        if choice.backend == "baseline":
            raise UsageError("A baseline only says left or right; leave the question out, or choose another --backend")
        choice = replace(choice, scoring="generate", max_new_tokens=choice.max_new_tokens or _LONGEST)
    printer = Printer(reveal=reveal, as_json=as_json, lines=watch is not None)
    for warning in look.warnings:
        printer.tell(f"Warning: {warning}")
    folder = latest_episode(place.path) if latest else place.path
    # Before anything is loaded: whether there is something to ask about.
    record = None if watch else open_episode(folder)
    # A baseline may want to look at a training split; here there is none.
    nothing = Dataset(place.path, Manifest(source="", split_seed=0, files={}), "")
    failed = False
    try:
        with closing(open_answerer(choice, nothing, seed=0, environ=os.environ)) as answerer:
            if choice.backend in ENGINES:
                printer.tell(f"Loading {answerer.name}")
            listener = None if as_json else printer.on_text
            known = (look.views, look.tasks, look.seen)
            asker = Asker(answerer, look.frames, question, cameras, printer.tell, listener, *known)
            found = (
                asker.watch(folder, stopped=lambda: False, pause=lambda: time.sleep(_PAUSE))
                if record is None
                else iter([asker.ask(folder, record)])
            )
            for asked in found:
                printer.show(asked)
                failed = failed or asked.failed
    except KeyboardInterrupt:
        ctx.exit(0 if watch else INTERRUPTED)
    if failed:
        ctx.exit(1)
