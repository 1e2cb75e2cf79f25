"""``hpvqa show``: pictures of an episode."""

from __future__ import annotations

import json
from pathlib import Path

import click


@click.command(
    epilog="""\b
Examples:
  hpvqa show data/push/000/episode-000003
  hpvqa show data/drop/000/episode-000000 --out pictures --json
  hpvqa show data/drop/000/episode-000000 --thumbnail
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
    "--json", "as_json", is_flag=True, help="Print the episode's record and the paths of the pictures as JSON."
)
def command(episode: Path, out: Path, thumbnail: bool, as_json: bool) -> None:
    """Draw EPISODE: a contact sheet of all cameras at its key moments, and a plot of its trajectory with events."""
    from hpvqa.record.episode import read_episode
    from hpvqa.record.sheet import contact_sheet, small_picture, title

    record = read_episode(episode)
    stem = f"{record.spec.task}-{record.spec.index:06d}"
    out.mkdir(parents=True, exist_ok=True)
    paths = {}
    if thumbnail:
        paths["thumbnail"] = out / f"{stem}-thumbnail.png"
        small_picture(episode, record).save(paths["thumbnail"])
    else:
        from hpvqa.record.plot import plot_trajectory

        if record.video is not None:
            paths["sheet"] = out / f"{stem}-sheet.png"
            contact_sheet(episode, record).save(paths["sheet"])
        paths["plot"] = out / f"{stem}-plot.png"
        plot_trajectory(episode, record).savefig(paths["plot"], dpi=120)
    if as_json:
        named = {name: str(path) for name, path in paths.items()}
        click.echo(json.dumps({"record": record.model_dump(mode="json"), "pictures": named}, indent=2))
        return
    click.echo(title(record))
    if record.video is None:
        click.echo("No contact sheet: the episode was recorded without clips.")
    for name, path in paths.items():
        click.echo(f"{name}: {path}")
