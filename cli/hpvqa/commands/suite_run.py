"""``hpvqa suite run``: a model on the whole suite."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option, progress_option
from hpvqa.commands.model_options import model_options
from hpvqa.commands.param_types import NameType, Whole
from hpvqa.errors import INTERRUPTED
from hpvqa.suite.names import SIZES, VERSIONS, check_size, check_version
from hpvqa.vlm.choice import ModelChoice


@click.command(
    "run",
    epilog="""\b
Examples:
  hpvqa suite run --size quick --model embedded --out cards/embedded
  hpvqa suite run --estimate
  hpvqa suite run --model qwen3.5 --backend vllm --out cards/qwen
  hpvqa suite run --server http://127.0.0.1:8000/v1 --out cards/served

The suite is rendered once, into --data, and shared by all models that name it. Run the same command again to go on
after an interrupt, with --restart to have the model answer anew. A server's key is read from HPVQA_API_KEY or
OPENAI_API_KEY. Exit code 1 says that rows could not be answered, 130 that the run was interrupted.
""",
)
@click.option(
    "--suite",
    "version",
    type=NameType("version of the suite", check_version, VERSIONS),
    metavar="VERSION",
    default=VERSIONS[-1],
    show_default=True,
    help="Version of the suite.",
)
@click.option(
    "--size",
    type=NameType("size of the suite", check_size, SIZES),
    metavar="SIZE",
    default=SIZES[0],
    show_default=True,
    help=f"How much of it: {', '.join(SIZES)}. Scores of two sizes do not compare.",
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Folder of the rendered suite.  [default: suite-VERSION-SIZE]"
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the answers and the card.  [default: cards/MODEL-VERSION-SIZE]",
)
@click.option("--workers", type=Whole(min=1), help="Processes that work side by side.  [default: one for each core]")
@click.option(
    "--estimate", "estimating", is_flag=True, help="Make nothing; say what is missing, how large, how long it takes."
)
@click.option("--restart", is_flag=True, help="Drop the model's answers that --out holds, and begin anew.")
@progress_option
@model_options
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    version: str,
    size: str,
    data: Path | None,
    out: Path | None,
    workers: int | None,
    estimating: bool,
    restart: bool,
    progress_file: Path | None,
    choice: ModelChoice,
    as_json: bool,
) -> None:
    """Score a model on the whole suite: all tasks, both forms of question, shifts, and active scenes.

    Makes episodes and scenes that are not there yet, has baselines and the model answer, and writes card.json and
    card.html into --out.
    """
    import os
    import time

    from hpvqa.commands.grid_table import print_grid
    from hpvqa.commands.suite_table import print_card, print_estimate
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting
    from hpvqa.suite.data import Data, check_data
    from hpvqa.suite.definition import check, load
    from hpvqa.suite.estimate import estimate
    from hpvqa.suite.run import Wanted, default_out, run

    suite = load(version, size)
    rendered = Data(suite, data or Path(f"suite-{version}-{size}"))
    processes = workers or len(os.sched_getaffinity(0))
    if estimating:
        check_data(rendered, check(suite))
        what = estimate(rendered, processes)
        if as_json:
            click.echo(what.model_dump_json(indent=2))
        else:
            print_estimate(what, PlainConsole())
        return
    out = out or default_out(choice, suite)
    wanted = Wanted(rendered, choice, out, processes, os.environ, restart)
    created = time.strftime("%Y-%m-%d %H:%M:%S UTC", time.gmtime())
    try:
        with reporting(PlainConsole(stderr=True), progress_file, time.time) as reporter:
            card = run(wanted, reporter, time.time, created)
    except KeyboardInterrupt:
        click.echo("Interrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    if as_json:
        click.echo(card.model_dump_json(indent=2))
    else:
        print_card(card, out, PlainConsole(), print_grid)
    if card.failed:
        ctx.exit(1)
