"""``hpvqa ask``: a question to a model about an episode."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import camera_option, json_option
from hpvqa.commands.model_options import model_options
from hpvqa.errors import INTERRUPTED
from hpvqa.vlm.choice import ModelChoice

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

    from hpvqa.ask.place import read_words
    from hpvqa.ask.session import ask_model
    from hpvqa.commands.ask_table import Printer

    place = read_words(words, latest, watch)
    printer = Printer(reveal=reveal, as_json=as_json, lines=watch is not None)
    answers = ask_model(
        choice,
        place,
        cameras,
        environ=os.environ,
        tell=printer.tell,
        on_text=None if as_json else printer.on_text,
        pause=lambda: time.sleep(_PAUSE),
    )
    failed = False
    try:
        with closing(answers):
            for asked in answers:
                printer.show(asked)
                failed = failed or asked.failed
    except KeyboardInterrupt:
        ctx.exit(0 if watch else INTERRUPTED)
    if failed:
        ctx.exit(1)
