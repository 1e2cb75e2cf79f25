"""``hpvqa eval``: answers to a data set, and their score."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.options import TaskType
from hpvqa.dataset.splits import Selection
from hpvqa.processes import INTERRUPTED


@click.command(
    epilog="""\b
Examples:
  hpvqa eval
  hpvqa eval --dataset dataset --backend baseline --model pixels --workers 2
  hpvqa eval --model majority --task drop --json

A run that was interrupted goes on where it stopped when the same command is given again. Exit code 1 says that rows
could not be answered, 130 that the run was interrupted.
"""
)
@click.option(
    "--dataset",
    "root",
    type=click.Path(path_type=Path),
    default=Path("dataset"),
    show_default=True,
    help="Folder of the data set.",
)
@click.option("--backend", default="baseline", show_default=True, help="What runs the model: baseline.")
@click.option(
    "--model",
    default="pixels",
    show_default=True,
    help="Who answers: left, right, random, majority, oracle or pixels.",
)
@click.option(
    "--split", type=click.Choice(["eval", "train", "all"]), default="eval", show_default=True, help="Which rows."
)
@click.option("--task", type=TaskType(), help="Only the rows of this task.  [default: all]")
@click.option("--camera", help="Only the clips of this camera.  [default: all]")
@click.option("--limit", type=click.IntRange(min=1), help="Only so many rows, the first ones.  [default: all]")
@click.option("--workers", type=click.IntRange(min=1), default=1, show_default=True, help="Processes that answer.")
@click.option(
    "--seed", type=click.IntRange(min=0), default=42, show_default=True, help="Seed of a model that draws lots."
)
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="Folder of the run, a new one or one to go on with.  [default: runs/MODEL-DATASET]",
)
@click.option("--json", "as_json", is_flag=True, help="Print the score as JSON.")
@click.pass_context
def command(
    ctx: click.Context,
    root: Path,
    backend: str,
    model: str,
    split: Selection,
    task: str | None,
    camera: str | None,
    limit: int | None,
    workers: int,
    seed: int,
    out: Path | None,
    as_json: bool,
) -> None:
    """Answer the questions of a data set and score the answers.

    Answers are appended to predictions.jsonl in the run's folder, one by one; run.json beside it says what was run.
    """
    import json
    import time

    from rich.console import Console

    from hpvqa.commands.eval_table import print_result, result_json
    from hpvqa.dataset.load import open_dataset
    from hpvqa.evaluate.run import default_out, evaluate, run_settings
    from hpvqa.evaluate.score import failures
    from hpvqa.evaluate.select import select
    from hpvqa.progress.reporter import reporting
    from hpvqa.vlm.registry import open_answerer

    dataset = open_dataset(root)
    answerer = open_answerer(backend, model, dataset, seed)
    settings = run_settings(dataset, backend=backend, model=model, split=split, task=task, camera=camera, seed=seed)
    items = select(dataset, split, task=task, camera=camera)[:limit]
    run = out or default_out(settings)
    try:
        with reporting(Console(stderr=True), None, time.time) as reporter:
            predictions = evaluate(items, answerer, run, settings, reporter, workers=workers)
    except KeyboardInterrupt:
        click.echo("Interrupted; run the same command again to go on.", err=True)
        ctx.exit(INTERRUPTED)
    if as_json:
        click.echo(json.dumps(result_json(run, settings, predictions), indent=2))
    else:
        print_result(run, settings, predictions, Console())
    if failures(predictions):
        ctx.exit(1)
