"""``hpvqa explore run``: an agent plays scenes."""

from __future__ import annotations

import functools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.explore_options import family_option, restart_option, worlds_option
from hpvqa.commands.field_option import field_option
from hpvqa.commands.model_options import BACKEND, ModelType
from hpvqa.commands.param_types import Whole
from hpvqa.errors import INTERRUPTED
from hpvqa.explore.runs.folder import Split
from hpvqa.explore.scene import Family
from hpvqa.vlm.options import ServerOptions, TransformersOptions

_OF_MODELS: dict[str, Callable[[Any], Any]] = {
    "model": click.option(
        "--model", type=ModelType(baselines=False), help="A model folder, a hub id, or a model family such as qwen3.5."
    ),
    "backend": click.option(
        "--backend", type=BACKEND, help="What runs the model: transformers, vllm, openai (any server)."
    ),
    "adapter": field_option(TransformersOptions, "adapter"),
    "scoring": field_option(
        TransformersOptions,
        "scoring",
        type=click.Choice(["logprobs", "generate"]),
        help="logprobs: compare how likely each letter is; generate: let the model write a reply, and read it.  "
        "[default: logprobs, or generate with a server]",
    ),
    **{
        name: field_option(
            TransformersOptions, name, default="512, or as an adapter was taught" if name == "max_new_tokens" else None
        )
        for name in ("thinking", "max_new_tokens", "batch_size", "dtype", "device")
    },
    "server": field_option(ServerOptions, "server", metavar="URL"),
    **{name: field_option(ServerOptions, name) for name in ("transport", "media", "concurrency")},
}


def _model_options(function: Callable[..., Any]) -> Callable[..., Any]:
    """Add the options of models; the command gets those that were given as ``said``."""

    @functools.wraps(function)
    def wrapper(*args: Any, **given: Any) -> Any:
        found = {name: given.pop(name) for name in _OF_MODELS}
        said = {name: value for name, value in found.items() if value is not None}
        return function(*args, said=said, **given)

    decorated: Any = wrapper
    for option in reversed(list(_OF_MODELS.values())):
        decorated = option(decorated)
    result: Callable[..., Any] = decorated
    return result


@click.command(
    "run",
    epilog="""\b
Examples:
  hpvqa explore run --worlds worlds --agent ideal
  hpvqa explore run --worlds worlds --agent constant --train other-worlds
  hpvqa explore run --model qwen3.5 --backend vllm --scoring generate
  hpvqa explore run --server http://127.0.0.1:8000/v1 --condition yoked

A run that was interrupted, or whose server has gone, goes on when the same command is given again: only scenes that
were not played to their end are played anew. With --restart, it begins anew. A server's key is read from HPVQA_API_KEY
or OPENAI_API_KEY.
""",
)
@worlds_option
@click.option("--agent", metavar="NAME", help="A rule in place of a model; a wrong name is answered with the nearest.")
@_model_options
@click.option(
    "--condition",
    default="active",
    show_default=True,
    help="active: it acts and answers; yoked: it answers once an ideal observer has looked; facts: words in place of "
    "pictures; blind: it must answer and sees nothing; first: it must answer from the first picture; rotate: other "
    "letters.",
)
@click.option("--train", type=click.Path(path_type=Path), help="Folder of other scenes, for agents that learn.")
@family_option
@click.option(
    "--split",
    type=click.Choice(["all", "held-out", "known"]),
    default="all",
    show_default=True,
    help="Types of layouts: those that are kept for evaluation, or the others.",
)
@click.option("--limit", type=Whole(min=1), help="Only so many scenes, of all families alike.  [default: all]")
@click.option("--workers", type=Whole(min=1), default=1, show_default=True, help="Processes that simulate.")
@click.option("--seed", type=Whole(min=0), default=0, show_default=True, help="Seed of the agent.")
@click.option("--out", type=click.Path(path_type=Path), help="Folder of the run.  [default: one in runs/]")
@restart_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    worlds: Path,
    agent: str | None,
    said: dict[str, Any],
    condition: str,
    train: Path | None,
    families: tuple[Family, ...],
    split: Split,
    limit: int | None,
    workers: int,
    seed: int,
    out: Path | None,
    restart: bool,
    as_json: bool,
) -> None:
    """Have an agent play scenes, and score it.

    Each scene is written down when it is over, in a folder of its own in scenes/ of the run's folder.
    """
    import os
    import time

    from hpvqa.commands.grid_table import print_grid
    from hpvqa.explore.runs.session import RunChoice, play_worlds
    from hpvqa.explore.scores.report import report
    from hpvqa.explore.scores.tables import grids
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    choice = RunChoice(worlds, condition, families, split, limit, workers, seed, out, restart)
    try:
        with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
            folder = play_worlds(choice, reporter, agent=agent, said=said, train=train, environ=os.environ)
    except KeyboardInterrupt:
        click.echo("Interrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    found = report([folder])
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    for grid in grids(found):
        print_grid(grid, PlainConsole())
        click.echo()
