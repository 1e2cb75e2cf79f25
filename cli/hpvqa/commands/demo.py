"""``hpvqa demo``: the whole loop in small."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.param_types import Whole
from hpvqa.errors import INTERRUPTED


@click.command(
    epilog="""\b
Examples:
  hpvqa demo
  hpvqa demo --out /tmp/demo --workers 4

Run the same command again to go on after an interrupt, or with --restart to have everything answered anew.
"""
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("demo"), show_default=True, help="Folder for everything."
)
@click.option("--workers", type=Whole(min=1), help="Processes that work side by side.  [default: one for each core]")
@click.option("--restart", is_flag=True, help="Make the data set and all answers anew; episodes stay.")
@json_option
@click.pass_context
def command(ctx: click.Context, out: Path, workers: int | None, restart: bool, as_json: bool) -> None:
    """See everything work: a dozen robot episodes, a data set, answers of baselines and of a small model.

    Takes a few minutes on two cores, without a GPU.
    """
    import json
    import os
    import time

    from hpvqa.commands.demo_table import demo_json, print_demo
    from hpvqa.demo import run_demo
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    try:
        with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
            demo = run_demo(out, workers or len(os.sched_getaffinity(0)), reporter, time.time, restart=restart)
    except KeyboardInterrupt:
        click.echo("Interrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(demo_json(demo), indent=2))
    else:
        print_demo(demo, PlainConsole())
