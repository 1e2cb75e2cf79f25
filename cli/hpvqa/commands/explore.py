"""``hpvqa explore``: scenes of active visual reasoning."""

from __future__ import annotations

import json
import os
from pathlib import Path

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.explore_assemble import command as assemble
from hpvqa.commands.explore_build import command as build
from hpvqa.commands.explore_options import drawn_option
from hpvqa.commands.explore_play import command as play
from hpvqa.commands.explore_report import command as report
from hpvqa.commands.explore_run import command as run
from hpvqa.commands.param_types import Whole
from hpvqa.errors import INTERRUPTED, printable
from hpvqa.explore.scene import Family

_COMMAND_LINE = click.core.ParameterSource.COMMANDLINE
_DEFAULT = click.core.ParameterSource.DEFAULT


@click.group(
    epilog="""\b
Examples:
  hpvqa explore draw --scenes 8 --out worlds
  hpvqa explore show worlds/cover/000/scene-000000.json
  hpvqa explore run --worlds worlds --agent ideal
"""
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Partly hidden scenes: is what was seen enough to answer, and if not, what would tell most?"""
    from hpvqa.commands.defaults import take_defaults

    take_defaults(ctx, command.commands)


@command.command(
    epilog="""\b
Examples:
  hpvqa explore draw --scenes 8 --out worlds
  hpvqa explore draw --set evaluation --out evaluation
"""
)
@click.option(
    "--set",
    "which",
    type=click.Choice(["evaluation"]),
    help="The 600 scenes that agents are compared on, in place of --family, --scenes and --seed; that they are these "
    "is checked.",
)
@drawn_option
@click.option(
    "--scenes",
    type=Whole(4, 2**31 - 1),
    default=600,
    show_default=True,
    help="How many; a multiple of four, for they come in groups of four.",
)
@click.option("--out", type=click.Path(path_type=Path), default=Path("worlds"), show_default=True, help="Folder.")
@click.option("--seed", type=Whole(0, 2**63 - 1), default=0, show_default=True, help="Seed of all scenes.")
@click.option("--workers", type=Whole(min=1), help="How many processes.  [default: one for each core]")
@json_option
@click.pass_context
def draw(
    ctx: click.Context,
    which: str | None,
    families: tuple[Family, ...],
    scenes: int,
    out: Path,
    seed: int,
    workers: int | None,
    as_json: bool,
) -> None:
    """Draw scenes, check each in the simulator, and write those that pass.

    Scenes that are there already are kept: run the same command again to go on after an interrupt, or with more scenes.
    In a folder that holds scenes, options that are not given are the folder's own.
    """
    import time

    from hpvqa.errors import UsageError
    from hpvqa.explore.evaluation import EVALUATION, check
    from hpvqa.explore.folder import Worlds, begun, draw, read_worlds
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting
    from hpvqa.sim import prepare

    if scenes % 4:
        raise UsageError(f"--scenes must be a multiple of four, not {scenes}: scenes come in groups of four")
    options = {"families": families, "scenes": scenes, "seed": seed}
    if which is not None and any(ctx.get_parameter_source(name) == _COMMAND_LINE for name in options):
        raise UsageError("--set says which scenes are drawn; leave out --family, --scenes and --seed")
    there = begun(out)
    # What was not said is the folder's own.
    own = {name for name in options if there is not None and ctx.get_parameter_source(name) == _DEFAULT}
    chosen = Worlds.model_validate({**options, **(there.model_dump(include=own) if there is not None else {})})
    worlds = EVALUATION if which else chosen
    try:
        with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
            prepare("mujoco", draws=True, tell=reporter.note)
            rejected = draw(out, worlds, workers or len(os.sched_getaffinity(0)), reporter)
    except KeyboardInterrupt:
        click.echo("Interrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    if which:
        check(out)
    # It may hold more than was asked for.
    worlds = read_worlds(out)
    if as_json:
        told = {"worlds": str(out), **worlds.model_dump(mode="json"), "rejected": dict(rejected.most_common())}
        click.echo(json.dumps(told, indent=2))
        return
    click.echo(printable(f"{worlds.scenes} scenes in {out}"))
    for why, count in rejected.most_common():
        click.echo(f"{count} rejected: {why}")


@command.command(
    epilog="""\b
Examples:
  hpvqa explore show worlds/cover/000/scene-000000.json --out sheets
"""
)
@click.argument("scene", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="the working directory",
    help="Folder for the picture.",
)
@json_option
def show(scene: Path, out: Path, as_json: bool) -> None:
    """Draw SCENE on a sheet, as an ideal observer plays it: pictures, beliefs, options with what each would tell."""
    from hpvqa.explore.rays import PIXELS
    from hpvqa.explore.scene import read_scene
    from hpvqa.explore.sheet import sheet
    from hpvqa.explore.world import SceneWorld
    from hpvqa.files import check_target, replacing
    from hpvqa.sim import open_simulator

    found = read_scene(scene)
    check_target(out, folder=True)
    out.mkdir(parents=True, exist_ok=True)
    path = out / f"{found.key}-seed-{found.seed}.png"
    picture = sheet(found, SceneWorld(open_simulator((PIXELS, PIXELS))))
    with replacing(path) as draft:
        picture.save(draft, format="png")
    if as_json:
        click.echo(json.dumps({"scene": found.model_dump(mode="json"), "sheet": str(path)}, indent=2))
        return
    click.echo(printable(f"{found.question.text} {found.question.answer}"))
    click.echo(printable(f"sheet: {path}"))


command.add_command(run)
command.add_command(play)
command.add_command(report)
command.add_command(build)
command.add_command(assemble)
