"""``hpvqa sample``: the spec of an episode, without running it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.options import recipe_options, task_argument
from hpvqa.commands.param_types import Whole
from hpvqa.errors import printable
from hpvqa.recipe import Recipe

if TYPE_CHECKING:
    from hpvqa.scene.spec import EpisodeSpec


@click.command(
    epilog="""\b
Examples:
  hpvqa sample push --index 3
  hpvqa sample drop --index 7 --seed 1 --json
  hpvqa sample drop --rig mine.yaml --render pictures
"""
)
@task_argument
@click.option("--index", type=Whole(min=0, max=2**32 - 2), default=0, show_default=True, help="Number of the episode.")
@click.option("--attempt", type=Whole(min=0), default=0, show_default=True, help="Number of the redraw.")
@click.option(
    "--render",
    "pictures",
    type=click.Path(path_type=Path),
    help="Write what each camera sees at the start into this folder, a new one, as CAMERA.png.",
)
@json_option
@recipe_options("seed", "rig", "resolution")
def command(task: str, index: int, attempt: int, pictures: Path | None, as_json: bool, recipe: Recipe) -> None:
    """Print the spec of an episode of TASK: everything that is decided before it runs."""
    from hpvqa.scene.sampling import sample_episode
    from hpvqa.tasks import get_task

    kind = get_task(task)
    rig = recipe.camera_rig()
    spec = sample_episode(
        kind,
        recipe.ranges(task),
        recipe.randomization,
        rig.name,
        rig.cameras(task),
        seed=recipe.seed,
        index=index,
        attempt=attempt,
        shift=recipe.shift,
    )
    if pictures is not None:
        _render(spec, pictures, recipe.resolution)
    if as_json:
        click.echo(spec.model_dump_json(indent=2))
        return
    from hpvqa.commands.spec_table import print_spec

    print_spec(spec)
    if pictures is not None:
        click.echo(printable(f"Written: {len(spec.cameras)} pictures in {pictures}"))


def _render(spec: EpisodeSpec, folder: Path, resolution: tuple[int, int]) -> None:
    """Write what the cameras see, all of it or nothing."""
    from contextlib import closing

    from hpvqa.record.stills import write_stills
    from hpvqa.sim import open_simulator, prepare
    from hpvqa.vlm.saving import check_new, new_folder

    check_new(folder)
    prepare("mujoco", draws=True, tell=lambda words: click.echo(words, err=True))
    with closing(open_simulator(resolution)) as simulator, new_folder(folder) as draft:
        write_stills(simulator, spec, draft)
