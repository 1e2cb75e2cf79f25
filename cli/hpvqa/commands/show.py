"""``hpvqa show``: pictures of an episode."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from hpvqa.commands.common import json_option
from hpvqa.errors import printable

if TYPE_CHECKING:
    from hpvqa.record.episode import EpisodeRecord


@click.command(
    epilog="""\b
Examples:
  hpvqa show data/push/000/episode-000003
  hpvqa show data/drop/000/episode-000000 --out pictures --json
  hpvqa show data/drop/000/episode-000000 --thumbnail
  hpvqa show data/drop/000/episode-000000 --poses
"""
)
@click.argument("episode", type=click.Path(path_type=Path))
@click.option(
    "--out",
    type=click.Path(file_okay=False, path_type=Path),
    default=Path(),
    show_default="the working directory",
    help="Folder for the pictures.",
)
@click.option(
    "--thumbnail",
    is_flag=True,
    help="Draw only one small picture: what the first camera saw in the middle of the story.",
)
@click.option(
    "--poses",
    is_flag=True,
    help="Draw nothing: print as JSON where robot and things are at each frame.",
)
@json_option
def command(episode: Path, out: Path, thumbnail: bool, poses: bool, as_json: bool) -> None:
    """Draw EPISODE: a contact sheet of all cameras at its key moments, and a plot of its trajectory with events."""
    from functools import partial

    from hpvqa.files import check_target
    from hpvqa.record.episode import read_episode
    from hpvqa.record.sheet import contact_sheet, small_picture, title

    record = read_episode(episode)
    if poses:
        _print_poses(episode, record)
        return
    check_target(out, folder=True)
    out.mkdir(parents=True, exist_ok=True)
    # Episodes of another seed have the same task and number.
    stem = f"{record.spec.task}-{record.spec.index:06d}-seed-{record.spec.seed}"
    paths = {}
    if thumbnail:
        paths["thumbnail"] = out / f"{stem}-thumbnail.png"
        _save(paths["thumbnail"], small_picture(episode, record).save)
    else:
        from hpvqa.record.plot import plot_trajectory

        if record.video is not None:
            paths["sheet"] = out / f"{stem}-sheet.png"
            _save(paths["sheet"], contact_sheet(episode, record).save)
        paths["plot"] = out / f"{stem}-plot.png"
        _save(paths["plot"], partial(plot_trajectory(episode, record).savefig, dpi=120))
    if as_json:
        named = {name: str(path) for name, path in paths.items()}
        click.echo(json.dumps({"record": record.model_dump(mode="json"), "pictures": named}, indent=2))
        return
    click.echo(printable(title(record)))
    if record.video is None:
        click.echo("No contact sheet: the episode was recorded without clips.")
    for name, path in paths.items():
        click.echo(printable(f"{name}: {path}"))


def _print_poses(folder: Path, record: EpisodeRecord) -> None:
    from hpvqa.record.episode import TRAJECTORY_FILE
    from hpvqa.record.trajectory import read_trajectory
    from hpvqa.sim import episode_bodies

    rows = read_trajectory(folder / TRAJECTORY_FILE, record.spec.names)
    found = episode_bodies(record.spec.things, rows, tell=lambda words: click.echo(words, err=True))
    data = {
        "record": record.model_dump(mode="json"),
        "times": rows["time"].tolist(),
        "bodies": [body.plain() for body in found],
    }
    click.echo(json.dumps(data))


def _save(path: Path, save: Callable[..., Any]) -> None:
    """Write a picture whole, or not at all."""
    from hpvqa.files import replacing

    with replacing(path) as draft:
        save(draft, format="png")
