"""``hpvqa sample``: the spec of an episode, without running it."""

from __future__ import annotations

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.options import recipe_options, task_argument
from hpvqa.commands.param_types import Whole
from hpvqa.recipe import Recipe


@click.command(
    epilog="""\b
Examples:
  hpvqa sample push --index 3
  hpvqa sample drop --index 7 --seed 1 --json
"""
)
@task_argument
@click.option("--index", type=Whole(min=0, max=2**32 - 2), default=0, show_default=True, help="Number of the episode.")
@click.option("--attempt", type=Whole(min=0), default=0, show_default=True, help="Number of the redraw.")
@json_option
@recipe_options("seed", "rig")
def command(task: str, index: int, attempt: int, as_json: bool, recipe: Recipe) -> None:
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
    if as_json:
        click.echo(spec.model_dump_json(indent=2))
        return
    from hpvqa.commands.spec_table import print_spec

    print_spec(spec)
