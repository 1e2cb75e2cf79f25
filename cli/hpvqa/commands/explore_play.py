"""``hpvqa explore play``: a person plays scenes."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.explore_options import worlds_option
from hpvqa.commands.param_types import Whole
from hpvqa.errors import INTERRUPTED, printable


@click.command(
    "play",
    epilog="""\b
Examples:
  hpvqa explore play --worlds worlds --limit 20 --out runs/me
  hpvqa explore report runs/me runs/ideal-worlds

Open the pictures in any viewer; each line names the newest. Ctrl-C ends; the same command goes on with the next scene.
""",
)
@worlds_option
@click.option("--name", default="person", show_default=True, help="Who plays, for reports.")
@click.option("--limit", type=Whole(min=1), default=20, show_default=True, help="How many scenes, of all families.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/person"), show_default=True, help="The run.")
@click.pass_context
def command(ctx: click.Context, worlds: Path, name: str, limit: int, out: Path) -> None:
    """Play scenes yourself: look at pictures, choose actions, and answer."""
    import time

    from hpvqa.explore.agents.person import Person
    from hpvqa.explore.runs.session import RunChoice, play_agent
    from hpvqa.progress.reporter import Reporter

    pictures = out.with_name(out.name + "-pictures")
    person = Person(name, pictures, click.echo, lambda: str(click.prompt("Your choice")))
    try:
        play_agent(person, RunChoice(worlds, limit=limit, out=out), Reporter([], time.time), backend="person")
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    click.echo(printable(f"Played: {out}"))
