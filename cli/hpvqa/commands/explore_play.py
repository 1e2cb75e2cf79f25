"""``hpvqa explore play``: a person plays scenes."""

from __future__ import annotations

import os
from pathlib import Path

import click

from hpvqa.commands.explore_options import restart_option, worlds_option
from hpvqa.commands.param_types import Whole
from hpvqa.errors import INTERRUPTED, printable


@click.command(
    "play",
    epilog="""\b
Examples:
  hpvqa explore play --worlds worlds --limit 20 --out runs/me
  hpvqa explore report runs/me runs/ideal-worlds

The page is for this machine alone. Ctrl-C ends; the same command goes on with the next scene. With --terminal, the
pictures are files: open them in any viewer; each line names the newest.
""",
)
@worlds_option
@click.option("--name", default="person", show_default=True, help="Who plays, for reports.")
@click.option("--limit", type=Whole(min=1), default=20, show_default=True, help="How many scenes, of all families.")
@click.option("--out", type=click.Path(path_type=Path), default=Path("runs/person"), show_default=True, help="The run.")
@click.option("--port", type=Whole(0, 65535), default=0, show_default="a free one", help="Port of the page.")
@click.option("--terminal", is_flag=True, help="Play in the terminal, without a browser.")
@restart_option
@click.pass_context
def command(
    ctx: click.Context, worlds: Path, name: str, limit: int, out: Path, port: int, terminal: bool, restart: bool
) -> None:
    """Play scenes yourself, on a page in your browser: look at pictures, choose actions, and answer."""
    import time
    from contextlib import closing

    from hpvqa.explore.agents.page import Page
    from hpvqa.explore.agents.person import Desk, Person, Terminal
    from hpvqa.explore.runs.session import RunChoice, play_agent
    from hpvqa.progress.reporter import Reporter

    desk: Desk = Page(port, click.echo)
    if terminal:
        whole = Path(os.path.abspath(out))  # noqa: PTH100 - a loop of links is refused later, in a sentence
        desk = Terminal(whole.with_name(f"{whole.name}-pictures"), click.echo, lambda: str(click.prompt("Your choice")))
    try:
        with closing(Person(name, desk)) as person:
            chosen, told = RunChoice(worlds, limit=limit, out=out, restart=restart), Reporter([], time.time)
            play_agent(person, chosen, told, backend="person", one_by_one=True)
    except (KeyboardInterrupt, click.Abort):
        click.echo("\nInterrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    click.echo(printable(f"Played: {out}"))
