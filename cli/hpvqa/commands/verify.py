"""``hpvqa verify``: every file of a data set or data folder."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option


@click.command(
    epilog="""\b
Examples:
  hpvqa verify dataset
  hpvqa verify data --json
"""
)
@click.argument("path", type=click.Path(path_type=Path))
@json_option
@click.pass_context
def command(ctx: click.Context, path: Path, as_json: bool) -> None:
    """Check every file of the data set or data folder PATH: none missing, truncated, altered or unlisted.

    Exit code 1 says that something is wrong.
    """
    import dataclasses
    import json
    import time

    from rich.text import Text

    from hpvqa.dataset.verify import verify
    from hpvqa.errors import printable
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        result = verify(path, reporter)
    if as_json:
        click.echo(json.dumps({"path": str(path), **dataclasses.asdict(result)}, indent=2))
    else:
        console = PlainConsole()
        for problem in result.problems:
            words = printable(f"{problem.fault}: {problem.file} ({problem.detail})")
            console.print(Text(words), soft_wrap=True)
        wrong = {0: "no problem", 1: "1 problem"}.get(len(result.problems), f"{len(result.problems)} problems")
        console.print(Text(f"The {result.kind} {path} lists {result.files} files: {wrong}."), soft_wrap=True)
    if result.problems:
        ctx.exit(1)
