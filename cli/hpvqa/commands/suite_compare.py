"""``hpvqa suite compare``: two score cards side by side."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option
from hpvqa.errors import printable


@click.command(
    "compare",
    epilog="""\b
Examples:
  hpvqa suite compare cards/base cards/tuned
  hpvqa suite compare here/card.json there/card.json --html compared.html
""",
)
@click.argument("a", type=click.Path(path_type=Path))
@click.argument("b", type=click.Path(path_type=Path))
@click.option("--html", type=click.Path(dir_okay=False, path_type=Path), help="Write a page: one file.")
@json_option
def command(a: Path, b: Path, html: Path | None, as_json: bool) -> None:
    """Compare the score cards A and B, each a file or the folder that it lies in.

    Rows are paired by episode, wherever both cards are about the same pictures and questions; what differs is named.
    """
    from hpvqa.commands.grid_table import print_grid
    from hpvqa.files import PAGE, check_output
    from hpvqa.progress.console import PlainConsole
    from hpvqa.suite.card import read_card
    from hpvqa.suite.compare import compare
    from hpvqa.suite.page import write_comparison
    from hpvqa.suite.tables import differences

    if html is not None:
        check_output(html, PAGE)
    found = compare(read_card(a), read_card(b))
    if html is not None:
        write_comparison(found, html)
    if as_json:
        click.echo(found.model_dump_json(indent=2))
        return
    print_grid(differences(found), PlainConsole())
    if html is not None:
        click.echo(printable(f"Written: {html}"))
