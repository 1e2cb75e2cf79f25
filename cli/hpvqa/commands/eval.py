"""``hpvqa eval``: answers to a data set, and their score."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.cluster_options import Executor, cluster_address, cluster_options
from hpvqa.commands.common import camera_option, dataset_option, json_option, progress_option, split_names, task_option
from hpvqa.commands.model_options import model_options
from hpvqa.commands.param_types import NamesType, Whole
from hpvqa.dataset.splits import Selection
from hpvqa.errors import INTERRUPTED
from hpvqa.evaluate.conditions import CONDITIONS
from hpvqa.tasks.base import FORMS, Form
from hpvqa.vlm.choice import ModelChoice


@click.command(
    epilog="""\b
Examples:
  hpvqa eval                                        (the embedded model)
  hpvqa eval --model pixels                         (a baseline)
  hpvqa eval --model ./checkpoint --adapter ./lora --task drop
  hpvqa eval --model qwen3.5 --backend vllm --condition plain,swap,blank
  hpvqa eval --model pixels --questions value
  hpvqa eval --model pixels --executor ray --address 10.0.0.1:6379
  hpvqa eval --server http://127.0.0.1:8000/v1

A run that was interrupted goes on where it stopped when the same command is given again; --restart begins it anew.
A server's key is read from HPVQA_API_KEY or OPENAI_API_KEY. Exit code 1 says that rows could not be answered, 130 that
the run was interrupted.
"""
)
@dataset_option
@model_options
@click.option(
    "--split", type=click.Choice(["eval", "train", "all"]), default="eval", show_default=True, help="Rows to answer."
)
@task_option
@camera_option()
@click.option(
    "--episode",
    "episodes",
    multiple=True,
    metavar="N",
    callback=split_names,
    help="Only this episode; repeat it, or give several as in 3,7,10-12.  [default: all]",
)
@click.option(
    "--questions",
    metavar="FORM,...",
    type=NamesType("form of question", FORMS),
    help="Which questions of the data set, compare or value, or both with a comma between them.  [default: all]",
)
@click.option("--limit", type=Whole(min=1), help="Only so many rows, the first ones.  [default: all]")
@click.option(
    "--condition",
    "conditions",
    default="plain",
    show_default=True,
    help="How rows are asked, one or several with commas between them. "
    + " ".join(f"{name}: {condition.description}" for name, condition in CONDITIONS.items()),
)
@click.option(
    "--workers",
    type=Whole(min=1),
    help="Threads that decode clips for a model, or processes of a baseline.  [default: 2 or 1; with ray, all cores]",
)
@cluster_options
@click.option("--seed", type=Whole(min=0), default=42, show_default=True, help="Random seed.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the run, a new one or one to go on with.  [default: one in runs/, named after what is run]",
)
@click.option("--restart", is_flag=True, help="Drop the answers that the folder holds, and begin anew.")
@progress_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    dataset: Path,
    choice: ModelChoice,
    split: Selection,
    task: str | None,
    cameras: tuple[str, ...] | None,
    episodes: tuple[str, ...] | None,
    questions: tuple[Form, ...] | None,
    limit: int | None,
    conditions: str,
    workers: int | None,
    executor: Executor,
    address: str | None,
    seed: int,
    out: Path | None,
    restart: bool,
    progress_file: Path | None,
    as_json: bool,
) -> None:
    """Answer the questions of a data set and score the answers.

    Answers are appended to predictions.jsonl in the run's folder, one by one; run.json beside it says what was run.
    `hpvqa report` shows intervals, biases and comparisons of runs.
    """
    import json
    import os
    import time

    from hpvqa.commands.eval_table import print_result, result_json
    from hpvqa.dataset.load import open_dataset
    from hpvqa.evaluate.conditions import parse_conditions
    from hpvqa.evaluate.ray import ClusterChoice
    from hpvqa.evaluate.score import failures
    from hpvqa.evaluate.select import Rows, parse_episodes
    from hpvqa.evaluate.session import run_model
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    found = cluster_address(executor, address, os.environ)
    cluster = None if found is None else ClusterChoice(found, workers)
    wanted = parse_conditions(conditions)
    chosen = parse_episodes(",".join(episodes)) if episodes else None
    rows = Rows(split=split, task=task, camera=cameras or None, episodes=chosen, questions=questions, limit=limit)
    try:
        with reporting(PlainConsole(stderr=True), progress_file, time.time) as reporter:
            done = run_model(
                open_dataset(dataset),
                choice,
                out,
                reporter,
                rows=rows,
                seed=seed,
                environ=os.environ,
                conditions=wanted,
                workers=workers,
                cluster=cluster,
                restart=restart,
            )
    except KeyboardInterrupt:
        click.echo("Interrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(result_json(done), indent=2))
    else:
        print_result(done, PlainConsole())
    if failures(done.replies):
        ctx.exit(1)
