"""``hpvqa list``: the episodes of a folder."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option, task_option


@click.command(
    epilog="""\b
Examples:
  hpvqa list data
  hpvqa list dataset --task drop
  hpvqa list data --json
"""
)
@click.argument("folder", type=click.Path(path_type=Path), default=Path("data"))
@task_option
@json_option
def command(folder: Path, task: str | None, as_json: bool) -> None:
    """List the episodes of the data folder or data set FOLDER, by default data: the answer, and what is hidden."""
    import dataclasses
    import json

    from hpvqa.listing import list_episodes
    from hpvqa.progress.console import PlainConsole

    entries = list_episodes(folder, task)
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(entry) for entry in entries], indent=2))
        return
    from hpvqa.commands.list_table import print_entries

    print_entries(entries, folder, PlainConsole())
