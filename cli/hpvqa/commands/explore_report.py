"""``hpvqa explore report``: how good agents are, and how sure that is."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option
from hpvqa.errors import printable


@click.command(
    "report",
    epilog="""\b
Examples:
  hpvqa explore report runs/ideal-worlds runs/random-worlds
  hpvqa explore report runs/active runs/yoked runs/facts --html report.html
""",
)
@click.argument("paths", metavar="RUN...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page with a picture: one file.")
@json_option
def command(paths: tuple[Path, ...], html: Path | None, as_json: bool) -> None:
    """Score RUNs of agents and compare them.

    Runs of one agent under the conditions active, yoked and facts show where it fails: in choosing what to do, in
    seeing, or in putting together what it saw.
    """
    show(paths, html, as_json)


def show(paths: tuple[Path, ...], html: Path | None, as_json: bool) -> None:
    """Print the report of some runs, and write its page if one is wanted."""
    from hpvqa.commands.grid_table import print_grid
    from hpvqa.explore.scores.page import write_page
    from hpvqa.explore.scores.report import report
    from hpvqa.explore.scores.tables import grids
    from hpvqa.files import PAGE, check_output
    from hpvqa.progress.console import PlainConsole

    if html is not None:
        check_output(html, PAGE)
    found = report(paths)
    if html is not None:
        write_page(found, html)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    for grid in grids(found):
        print_grid(grid, PlainConsole())
        click.echo()
    for split in found.splits:
        for sentence in split.sentences():
            click.echo(printable(sentence))
    if html is not None:
        click.echo(printable(f"Written: {html}"))
