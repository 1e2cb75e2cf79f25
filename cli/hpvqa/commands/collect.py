"""``hpvqa collect``: many episodes, in parallel and resumable."""

from __future__ import annotations

import os
import re
from pathlib import Path

import click
from click.core import ParameterSource

from hpvqa.collect.shard import Shard
from hpvqa.commands.cluster_options import Executor, cluster_address, cluster_options
from hpvqa.commands.common import json_option, progress_option
from hpvqa.commands.options import recipe_options
from hpvqa.commands.param_types import TASK, Whole
from hpvqa.errors import INTERRUPTED, UsageError
from hpvqa.recipe import Recipe, TaskRecipe
from hpvqa.tasks import TASKS, not_installed


def _shard(text: str) -> Shard:
    return Shard.of_array(os.environ) if text == "auto" else Shard.parse(text)


class NumbersCommand(click.Command):
    """A command whose ``--episodes`` takes several numbers, which click's options cannot."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Repeat the option in front of every further number."""
        return super().parse_args(ctx, repeat_option("--episodes", args))


def repeat_option(option: str, args: list[str]) -> list[str]:
    """Rewrite ``option 1 2`` as ``option 1 option 2``."""
    rewritten: list[str] = []
    numbers = False
    for position, arg in enumerate(args):
        if arg == "--":
            return rewritten + args[position:]
        number = re.fullmatch(r"-?\d+", arg) is not None
        if numbers and number and args[position - 1] != option:
            rewritten.append(option)
        numbers = (numbers and number) or arg == option or arg.startswith(f"{option}=")
        rewritten.append(arg)
    return rewritten


@click.command(
    cls=NumbersCommand,
    epilog="""\b
Examples:
  hpvqa collect push drop --episodes 154 125 --out data --seed 42 --workers 2
  hpvqa collect --recipe paper
  hpvqa collect push --episodes 100 --no-video
  hpvqa collect --recipe paper --out /shared/data --shard 1/4
  hpvqa collect --recipe paper --out /shared/data --executor ray
  hpvqa collect --recipe paper --executor ray --storage s3://bucket/data
  sbatch --array=1-8 examples/slurm/collect.sbatch --out /shared/data
  hpvqa collect --recipe paper --backend isaac --num-envs 16
  hpvqa collect push drop --backend isaac --physics ovphysx --num-envs 8

Run the same command again to go on after an interrupt, or with more episodes to add to a folder. Ctrl-C lets the
running episodes finish; a second one drops them. Exit code 130 says that episodes are missing.
""",
)
@click.argument("tasks", type=TASK, nargs=-1, metavar="[TASK]...")
@click.option(
    "--episodes",
    type=Whole(1, 2**32 - 1),
    multiple=True,
    metavar="N...",
    help="How many episodes there should be, for all tasks or for each.  [default: the recipe's, or 40]",
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("data"),
    show_default=True,
    help="Folder of the episodes: a new or empty one, or one to go on with.",
)
@click.option(
    "--workers",
    type=Whole(min=1),
    help="Episodes at a time of the embedded simulator.  [default: one for each core, of the cluster with ray]",
)
@cluster_options
@click.option(
    "--storage",
    metavar="URL",
    help="ray: where nodes that share no folder send episodes, such as s3://bucket/data; --out then holds only the "
    "settings.  [default: --out, which all nodes share]",
)
@click.option(
    "--shard",
    type=_shard,
    metavar="i/n",
    help="Make only share i of n, for several machines on one folder; auto: the share of a task of a Slurm job array.  "
    "[default: all]",
)
@progress_option
@click.option(
    "--stop-file",
    type=click.Path(path_type=Path),
    help="Let the running episodes finish and end as soon as this file appears, as after Ctrl-C.  [default: none]",
)
@click.option(
    "--estimate",
    "estimating",
    is_flag=True,
    help="Make nothing; say what is missing, how large it is, how long it takes.",
)
@json_option
@recipe_options(
    "backend", "physics", "num_envs", "seed", "rig", "resolution", "fps", "video", "record", "object_colors"
)
@click.pass_context
def command(
    ctx: click.Context,
    tasks: tuple[str, ...],
    episodes: tuple[int, ...],
    out: Path,
    workers: int | None,
    executor: Executor,
    address: str | None,
    storage: str | None,
    shard: Shard | None,
    progress_file: Path | None,
    stop_file: Path | None,
    estimating: bool,
    as_json: bool,
    recipe: Recipe,
) -> None:
    """Make episodes of each TASK: the named ones, else those of the recipe, else those of the folder, else all.

    Only episodes that are not in the folder yet are made. A folder remembers its options: those that are not given are
    as for the episodes that are there.
    """
    import time

    from hpvqa.collect.executor import Pool
    from hpvqa.collect.folder import check_ours
    from hpvqa.collect.isaac import isaac_pool, starting
    from hpvqa.collect.mujoco import mujoco_pool
    from hpvqa.collect.remember import binding, remembered
    from hpvqa.collect.run import Request, collect
    from hpvqa.collect.settings import Collection, installed_versions
    from hpvqa.collect.storage import Storage
    from hpvqa.collect.table import print_report
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting
    from hpvqa.sim import isaac_python, prepare

    cluster = cluster_address(executor, address, os.environ)
    if storage is not None and (cluster is None or estimating):
        why = "--estimate looks at folders of this machine" if estimating else "--storage is for --executor ray"
        raise UsageError(f"{why}; leave out --storage")
    check_ours(out)
    store = None if storage is None else Storage(storage)
    found = binding(out, shard) if store is None else store.settings()
    counts = episode_counts(recipe, tasks, episodes, () if found is None else tuple(found.tasks))
    if found is not None:
        recipe = remembered(recipe, out, found, tuple(counts))
    isaac = recipe.backend == "isaac"
    if isaac and workers is not None:
        raise UsageError("--workers is for the embedded simulator; with Isaac Sim, give --num-envs")
    if not isaac and ctx.get_parameter_source("num_envs") is ParameterSource.COMMANDLINE:
        raise UsageError("--num-envs is for Isaac Sim; with the embedded simulator, give --workers")
    if not isaac and ctx.get_parameter_source("physics") is ParameterSource.COMMANDLINE:
        raise UsageError("--physics is for Isaac Lab; give --backend isaac, or leave it out")
    if isaac and cluster is not None:
        raise UsageError("--executor ray is for the embedded simulator; with Isaac Sim, give each machine a --shard")
    collection = Collection.of(recipe, list(counts), installed_versions(recipe.backend, list(counts)))
    request = Request(out, collection, counts, shard, stop_file, mixed=not isaac, storage=store)
    most = workers or len(os.sched_getaffinity(0))
    if estimating:
        from hpvqa.collect.estimate import estimate
        from hpvqa.collect.table import print_estimate

        what = estimate(request, recipe, most)
        if as_json:
            click.echo(what.model_dump_json(indent=2))
        else:
            print_estimate(what, PlainConsole())
        return
    with reporting(PlainConsole(stderr=True), progress_file, time.time) as reporter:
        for name, why in recipe.left_out.items():
            if not tasks:
                reporter.note(f"{name} is left out of the shift {recipe.shift.name}: {why}")
        prepare(recipe.backend, draws=recipe.video, tell=reporter.note, physics=recipe.physics)

        def open_pool(missing: int) -> Pool:
            if cluster is not None:
                from hpvqa.collect.ray import RayPool

                return RayPool(cluster, workers, store, reporter.note)
            if not isaac:
                return mujoco_pool(min(most, missing))
            environments = min(recipe.num_envs, missing)
            cameras = max(len(task.cameras) for task in collection.tasks.values()) if recipe.video else 0
            reporter.note(starting(out, environments, cameras, recipe.physics))
            return isaac_pool(isaac_python(recipe.physics).command, environments, recipe.physics)

        report = collect(
            request,
            open_pool,
            reporter,
            time.time,
        )
    if as_json:
        click.echo(report.model_dump_json(indent=2))
    else:
        print_report(report, PlainConsole(), deciles=report.any_failed or not recipe.video)
    if report.status == "interrupted":
        click.echo("Interrupted; run the same command again to make the missing episodes.", err=True)
        ctx.exit(INTERRUPTED)


def episode_counts(
    recipe: Recipe, tasks: tuple[str, ...], episodes: tuple[int, ...], there: tuple[str, ...] = ()
) -> dict[str, int]:
    """How many episodes of which tasks are meant.

    Args:
        recipe: Names tasks and numbers if the arguments do not.
        tasks: The named tasks.
        episodes: No number, one for all tasks, or one for each.
        there: The tasks of the data folder.

    Raises:
        UsageError: There are more or fewer numbers than tasks, a task is named twice, or one of the folder's is not
            installed.
    """
    names = list(tasks) or [name for name in recipe.named_tasks() or there or TASKS if name not in recipe.left_out]
    for name in names:
        if name not in TASKS:
            raise UsageError(not_installed(name))
    if len(set(names)) < len(names):
        raise UsageError(f"A task is named twice: {' '.join(names)}")
    if not episodes:
        named = recipe.named_tasks()
        return {
            name: (named[name] if name in named else TaskRecipe(ranges=TASKS[name].ranges())).episodes for name in names
        }
    numbers = episodes * len(names) if len(episodes) == 1 else episodes
    if len(numbers) != len(names):
        raise UsageError(
            f"Give --episodes one number, or one for each of the {len(names)} tasks ({', '.join(names)}), "
            f"not {len(numbers)}"
        )
    return dict(zip(names, numbers, strict=True))
