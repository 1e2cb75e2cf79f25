"""``python -m research.reels``: film episodes to train the embedded model on."""

from __future__ import annotations

import shutil
import time
from pathlib import Path

import click

from hpvqa.errors import UsageError, nearest
from hpvqa.progress.console import PlainConsole
from hpvqa.progress.reporter import Reporter, reporting
from hpvqa.record.episode import episode_dir, episode_name, publish, read_episode
from hpvqa.sim import open_simulator, prepare
from hpvqa.sim.protocol import SteppedSimulator
from hpvqa.tasks import TASKS
from hpvqa.vlm.frames.choose import choose
from hpvqa.vlm.frames.clip import Clip
from research.reels.film import film
from research.reels.plan import FRAMES, Plan, Take
from research.running import run

SIDE = 240
ATTEMPTS = 10
"""So often an episode that fails is drawn anew."""


@click.command(
    epilog="""\b
Example:
  python -m research.reels push=600 drop=1500 --seed 1000 --out data

Interrupted, it goes on where it was when the same command is given again.
"""
)
@click.argument("counts", nargs=-1, metavar="[TASK=EPISODES]...")
@click.option(
    "--out", type=click.Path(path_type=Path), required=True, help="Folder; each rig has one of its own in it."
)
@click.option("--seed", type=click.IntRange(min=0), required=True, help="Seed of everything drawn.")
@click.option(
    "--rig", "rigs", multiple=True, default=("paper", "close"), show_default=True, help="The first films all."
)
def command(counts: tuple[str, ...], out: Path, seed: int, rigs: tuple[str, ...]) -> None:
    """Film episodes of every TASK, with only the frames that a model is shown (two in 0.9 s)."""
    wanted = dict(_count(text) for text in counts)
    prepare("mujoco", draws=True, tell=click.echo)
    simulator = open_simulator((SIDE, SIDE))
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        shoot(simulator, Plan(wanted, rigs, seed), out, reporter, sum(wanted.values()))
    simulator.close()


def shoot(simulator: SteppedSimulator, plan: Plan, out: Path, reporter: Reporter, total: int) -> None:
    """Film what is missing.

    Args:
        simulator: Where episodes happen.
        plan: Which, and how.
        out: Where they go.
        reporter: Told of every episode.
        total: How many there are.

    Raises:
        UsageError: Episodes of another seed are there, or an episode fails however often it is drawn anew.
        HpvqaError: The message says what is wrong.
    """
    _check_seed(plan, out)
    reporter.start("film", "episodes", total)
    for task, index in plan.order():
        _shoot(simulator, plan, out, task, index)
        reporter.item(f"{task} {index}")
    reporter.done()


def _check_seed(plan: Plan, out: Path) -> None:
    """Raise if what would count as filmed was drawn otherwise: training and checks could be of the same episodes."""
    for task, index in plan.order():
        for final in filter(Path.is_dir, _finals(out, plan.take(index), task, index)):
            seed = read_episode(final).spec.seed
            if seed != plan.seed:
                raise UsageError(f"{final} is of seed {seed}, not {plan.seed}; give another folder with --out")


def _finals(out: Path, take: Take, task: str, index: int) -> list[Path]:
    return [episode_dir(out / rig, task, index) for rig in take.collections]


def _shoot(simulator: SteppedSimulator, plan: Plan, out: Path, task: str, index: int) -> None:
    take = plan.take(index)
    finals = _finals(out, take, task, index)
    if all(final.is_dir() for final in finals):
        return
    partials = [out / ".partial" / f"{rig}-{task}-{episode_name(index)}" for rig in take.collections]
    for attempt in range(ATTEMPTS):
        for partial in partials:
            shutil.rmtree(partial, ignore_errors=True)
            partial.mkdir(parents=True)
        specs = [collection.spec(task, index, attempt) for collection in take.collections.values()]
        clip = Clip(finals[0], take.fps, round(TASKS[task].duration(specs[0]) * take.fps))
        records = film(simulator, specs, partials, set(choose(FRAMES, clip)), take.fps, (SIDE, SIDE))
        if records[0].outcome.ok:
            for partial, record, final in zip(partials, records, finals, strict=True):
                publish(partial, record, final)
            return
    raise UsageError(f"Episode {index} of {task} failed {ATTEMPTS} times: {records[0].outcome.reason}")


def _count(text: str) -> tuple[str, int]:
    task, _, count = text.partition("=")
    if task not in TASKS or not count.isdecimal():
        raise UsageError(f"{text!r} is not a task and a number of episodes; {nearest(task, TASKS)}")
    return task, int(count)


if __name__ == "__main__":
    run(command)
