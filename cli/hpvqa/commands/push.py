"""``hpvqa push``: a data set, an adapter or a report onto the Hugging Face hub."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option


@click.command(
    epilog="""\b
Examples:
  hpvqa push me/pushes dataset --dry-run
  hpvqa push me/pushes dataset --public
  hpvqa push me/adapter adapter
  hpvqa push me/results report.html
"""
)
@click.argument("name")
@click.argument("path", type=click.Path(path_type=Path), default=Path("dataset"))
@click.option("--dry-run", is_flag=True, help="List every file with its size, and send nothing.")
@click.option("--public", is_flag=True, help="A new repository can be seen by everybody.  [default: by you alone]")
@click.option("--replace", is_flag=True, help="Replace something else that is there; the history keeps it.")
@json_option
def command(name: str, path: Path, dry_run: bool, public: bool, replace: bool, as_json: bool) -> None:
    """Send PATH, a data set, an adapter or the HTML page of a report, to NAME on the Hugging Face hub.

    NAME looks like owner/name. What breaks off goes on where it stopped when the same command is given again. Log in
    with `hf auth login`, or set HF_TOKEN; a token is never an option.
    """
    import json
    import time

    from hpvqa.errors import printable
    from hpvqa.hub.client import open_hub
    from hpvqa.hub.kinds import REPOS
    from hpvqa.hub.parcel import pack
    from hpvqa.hub.push import push
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        parcel = pack(path, reporter)
        url = None if dry_run else push(open_hub(), name, parcel, reporter, public=public, replace=replace)
    sizes = parcel.sizes()
    repo = REPOS[parcel.kind]
    if as_json:
        click.echo(
            json.dumps({"name": name, "kind": parcel.kind, "repository": repo, "url": url, "files": sizes}, indent=2)
        )
        return
    total = f"{len(sizes)} files, {sum(sizes.values()):,} bytes"
    if url is not None:
        click.echo(printable(f"The {parcel.kind} {path} is at {url}: {total}"))
        return
    for file, size in sizes.items():
        click.echo(printable(f"{size:>14,}  {file}"))
    click.echo(printable(f"The {parcel.kind} {path} would go to the {repo} {name}: {total}; nothing was sent"))
