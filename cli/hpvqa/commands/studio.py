"""``hpvqa studio``: episodes and answers, or scenes and what agents did in them, as pages in the browser."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpvqa.commands.param_types import Whole
from hpvqa.errors import INTERRUPTED, UsageError, printable

if TYPE_CHECKING:
    from hpvqa.studio.content import Pages

_SHOWN = 3
"""Of the files that are missing, so many are named."""


@click.command(
    epilog="""\b
Examples:
  hpvqa studio data
  hpvqa studio dataset --run runs/base --run runs/tuned
  hpvqa studio data --progress-file progress.jsonl
  hpvqa studio runs/tuned
  hpvqa studio dataset --run runs/tuned --out pages
  hpvqa studio runs/ideal --run runs/random

The pages are for this machine alone, and nothing in them can change a file. Ctrl-C ends. Those of --out need no
server: open index.html in a browser, or publish the folder. Data sets of --run are looked for where they were.
"""
)
@click.argument("path", type=click.Path(path_type=Path))
@click.option(
    "--run",
    "runs",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Show what this run answered, beside the episodes; may be given several times.",
)
@click.option(
    "--training",
    "trainings",
    multiple=True,
    metavar="ADAPTER",
    type=click.Path(path_type=Path),
    help="Show how the training of this adapter goes or went; may be given several times.",
)
@click.option(
    "--progress-file",
    "progress",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Show how far a command is that writes its progress to this file; may be given several times.",
)
@click.option("--out", type=click.Path(path_type=Path), help="Write the pages into this folder, a new one, and end.")
@click.option("--port", type=Whole(0, 65535), default=0, show_default="a free one", help="Port of the pages.")
@click.pass_context
def command(
    ctx: click.Context,
    path: Path,
    runs: tuple[Path, ...],
    trainings: tuple[Path, ...],
    progress: tuple[Path, ...],
    out: Path | None,
    port: int,
) -> None:
    """Show the episodes of PATH in the browser: clips of all cameras in step, curves, events, and answers of runs.

    PATH is a data folder, a data set, an episode, or a run, which is shown with its data set. A run of an agent
    (`hpvqa explore run`) is shown scene by scene: what it saw, what it could do, what that was worth, what it chose.
    """
    import time

    from hpvqa.files import check_target
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting
    from hpvqa.studio.server import open_server
    from hpvqa.studio.writing import write_site

    if out is not None:
        check_target(out, folder=True)
        if progress:
            raise UsageError("--progress-file is for pages that follow, and files do not; leave out --out")
    site, what = _pages(path, runs, trainings, progress, live=out is None)
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        count = len(site.read(reporter))
        if out is not None:
            written = write_site(site, out, reporter)
    if out is not None:
        for address in written.missing[:_SHOWN]:
            click.echo(printable(f"Note: {address} is missing or cannot be read."), err=True)
        click.echo(printable(f"{written.page} shows {count} {what}; open it in a browser"))
        return
    server = open_server(site, port)
    server.start("hpvqa-studio")
    click.echo(f"Open {server.url} in a browser: {count} {what}. Ctrl-C ends.")
    try:
        while True:
            # Ctrl-C may reach another thread, and then does not wake this one.
            time.sleep(0.5)
    except KeyboardInterrupt:
        ctx.exit(INTERRUPTED)
    finally:
        server.stop()


def _pages(
    path: Path, runs: tuple[Path, ...], trainings: tuple[Path, ...], progress: tuple[Path, ...], *, live: bool
) -> tuple[Pages, str]:
    """The pages about a path, and what they show."""
    from hpvqa.explore.runs.folder import is_run
    from hpvqa.places import kind_of
    from hpvqa.studio.answers import Answers
    from hpvqa.studio.scenes import Scenes
    from hpvqa.studio.site import Site
    from hpvqa.studio.source import open_source
    from hpvqa.studio.training import check_trainings

    if is_run(path):
        for option in ("--training",) * bool(trainings) + ("--progress-file",) * bool(progress):
            raise UsageError(f"{option} is shown beside episodes, not beside scenes; leave it out")
        return Scenes((path, *runs), live=live), "scenes"
    source = open_source(path)
    answers = Answers((path, *runs) if kind_of(path) == "run" else runs, [source.root])
    check_trainings(trainings)
    return Site(source, answers, trainings, progress, live=live), "episodes"
