"""``hpvqa pull``: a data set, an adapter or a report from the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import click

from hpvqa.commands.common import json_option
from hpvqa.hub.kinds import Kind


@click.command(
    epilog="""\b
Examples:
  hpvqa pull me/pushes
  hpvqa pull me/adapter --out adapter --revision v1.0
"""
)
@click.argument("name")
@click.option("--out", type=click.Path(path_type=Path), help="Folder to make.  [default: the name without its owner]")
@click.option("--kind", type=click.Choice(get_args(Kind)), help="What it is.  [default: the first that is there]")
@click.option("--revision", help="A commit, a branch or a tag.  [default: the newest]")
@json_option
def command(name: str, out: Path | None, kind: Kind | None, revision: str | None, as_json: bool) -> None:
    """Fetch NAME, a data set, an adapter or a report that `hpvqa push` has sent, from the Hugging Face hub.

    Every file of a data set is compared with its manifest. The folder appears whole; what breaks off goes on where it
    stopped when the same command is given again.
    """
    import dataclasses
    import json
    import time

    from hpvqa.errors import printable
    from hpvqa.hub.client import open_hub
    from hpvqa.hub.pull import pull
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    target = out or Path(name.rpartition("/")[2])
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        found = pull(open_hub(), name, target, reporter, kind=kind, revision=revision)
    if as_json:
        click.echo(json.dumps({"out": str(target), "name": name, **dataclasses.asdict(found)}, indent=2))
        return
    click.echo(printable(f"{target} holds the {found.kind} {name}: {found.files} files of {found.revision[:12]}"))
