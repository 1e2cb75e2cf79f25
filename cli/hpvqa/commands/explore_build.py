"""``hpvqa explore build``: training data from scenes."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.param_types import NamesType, Whole
from hpvqa.errors import INTERRUPTED, printable
from hpvqa.explore.samples.formats import FORMATS
from hpvqa.explore.scene import HIDING, Family

_SHOWN = 3
_LIST = "\n".join(f"  {name:<10}{text}" for name, text in FORMATS.items())


@click.command(
    "build",
    epilog=f"""\b
Formats:
{_LIST}

\b
Examples:
  hpvqa explore draw --scenes 1600 --seed 1 --out training
  hpvqa explore build training --out samples
  hpvqa explore build training --out samples --format messages,paper
  hpvqa explore build training --facts --out words
""",
)
@click.argument("worlds", type=click.Path(path_type=Path))
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the samples.")
@click.option(
    "--format",
    "formats",
    type=NamesType("format", tuple(FORMATS)),
    default="messages",
    show_default=True,
    help="Several with commas between them, or all; they share the pictures.",
)
@click.option(
    "--facts",
    is_flag=True,
    help="Tell what is to be seen in words, as --condition facts does: no pictures, no simulator.",
)
@click.option(
    "--family",
    "families",
    type=NamesType("family of scenes in which things are hidden", HIDING),
    default="all",
    show_default=True,
    help=f"Which scenes: {', '.join(HIDING)}, several with commas between them, or all.",
)
@click.option("--limit", type=Whole(min=1), help="Only so many scenes, of all families alike.  [default: all]")
@click.option("--workers", type=Whole(min=1), help="How many processes.  [default: one for each core]")
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    worlds: Path,
    out: Path,
    formats: tuple[str, ...],
    facts: bool,
    families: tuple[Family, ...],
    limit: int | None,
    workers: int | None,
    as_json: bool,
) -> None:
    """Make training samples of the scenes in the folder WORLDS.

    Each scene is played by an ideal observer, by one that first goes astray, and by a mixture of both. Each step is a
    sample: what an agent is shown and told, a thought whose every sentence was compared with the scene, and the best
    decision. Beside the steps stand captions and short questions. An interrupted build goes on when the same command is
    given again; with another --format it adds that one. In a folder that holds samples, --format and --facts that are
    not given are the folder's own.
    """
    import time

    from hpvqa.explore.samples.folder import Wanted, begun, build
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting
    from hpvqa.sim import prepare

    there = begun(out)
    if there is not None:
        # What was not said is the folder's own.
        facts = facts or there.shown == "facts"
        if ctx.get_parameter_source("formats") == click.core.ParameterSource.DEFAULT:
            formats = there.formats or formats
    wanted = Wanted(
        worlds=worlds,
        out=out,
        formats=formats,
        shown="facts" if facts else "pictures",
        families=families,
        limit=limit,
        workers=workers or len(os.sched_getaffinity(0)),
    )
    try:
        with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
            if not facts:
                prepare("mujoco", draws=True, tell=reporter.note)
            done = build(wanted, reporter)
    except KeyboardInterrupt:
        click.echo("Interrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps({"out": str(out), **done.model_dump(mode="json")}, indent=2))
        return
    for split, counts in done.counts.items():
        click.echo(f"{split}: {', '.join(f'{count} {subset}' for subset, count in counts.items())}")
    for why in done.left_out[:_SHOWN]:
        click.echo(printable(f"Left out: {why}"))
    if len(done.left_out) > _SHOWN:
        click.echo(f"Left out in all: {len(done.left_out)}, all named in samples.json")
    click.echo(printable(f"Samples in {out}; its README.md says how to use them"))
