"""``hpvqa build``: from episodes to a question answering data set."""

from __future__ import annotations

from pathlib import Path

import click

from hpvqa.commands.common import json_option
from hpvqa.commands.options import recipe_options
from hpvqa.commands.param_types import NamesType, Whole
from hpvqa.errors import UsageError
from hpvqa.recipe import Recipe
from hpvqa.tasks.base import FORMS, Form

_FILMED = "lerobot"
"""What --import is given for a LeRobot data set."""


@click.command(
    epilog="""\b
Examples:
  hpvqa build data --out dataset
  hpvqa build data --out dataset --recipe paper
  hpvqa build pushes drops --out dataset
  hpvqa build data --out dataset --questions compare,value --paraphrases
  hpvqa build --import public-original --out dataset
  hpvqa build --import lerobot filmed --labels labels.csv --out real
"""
)
@click.argument("data", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--import",
    "original",
    type=click.Path(path_type=Path),
    metavar="FOLDER",
    help="Take over a data set in the public original's form (metadata.jsonl and clips) instead of DATA. The word "
    "lerobot: DATA is a LeRobot data set of filmed episodes.",
)
@click.option(
    "--labels",
    type=click.Path(path_type=Path),
    help="What was measured of the episodes of --import lerobot: a CSV file with the columns episode, task, left, "
    "right, and, if you like, cameras and split.",
)
@click.option(
    "--out", type=click.Path(path_type=Path), default=Path("dataset"), show_default=True, help="Folder of the data set."
)
@click.option(
    "--questions",
    metavar="FORM,...",
    type=NamesType("form of question", FORMS),
    default="compare",
    show_default=True,
    help="What is asked of each clip. compare: which of two has more of the hidden property; this is always asked. "
    "value: how much of it each thing has, as a number with a unit.",
)
@click.option(
    "--paraphrases",
    "paraphrased",
    is_flag=True,
    help="Ask each question a second time in other words, in rows of their own, which are reported apart.",
)
@click.option(
    "--licence",
    metavar="NAME",
    help="The Hugging Face hub's name of the licence, for the card, such as cc-by-4.0.  [default: apache-2.0; "
    "with --import: unknown]",
)
@click.option("--seed", type=Whole(min=0), help="Seed of the splits.  [default: that of the episodes]")
@click.option("--force", is_flag=True, help="Replace a different data set at --out.")
@json_option
@recipe_options()
def command(
    data: tuple[Path, ...],
    original: Path | None,
    labels: Path | None,
    out: Path,
    questions: tuple[Form, ...],
    paraphrased: bool,
    licence: str | None,
    seed: int | None,
    force: bool,
    as_json: bool,
    recipe: Recipe,
) -> None:
    """Turn the episodes in the folders DATA into a data set: a row for every clip, split by episode.

    Several folders become one data set. A quarter of each task's episodes is for evaluation, or as many as the recipe
    says; of several folders, of each. Clips are hard links where the file system allows. DATA is not changed.
    """
    import json
    import time

    from hpvqa.commands.dataset_table import print_built, summary
    from hpvqa.dataset.build import Questions, build
    from hpvqa.dataset.import_lerobot import import_lerobot
    from hpvqa.dataset.importing import import_public
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    if "compare" not in questions:
        raise UsageError("A data set always asks to compare: build with --questions compare,value, and choose later")
    filmed = original == Path(_FILMED) and bool(data)
    _check(data, original, labels, filmed=filmed, plain=not paraphrased and "value" not in questions)
    asked = Questions(questions, paraphrased)
    chosen = {} if licence is None else {"licence": licence}
    split_seed = recipe.seed if seed is None else seed
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        if labels is not None:
            built = import_lerobot(
                data[0], labels, out, reporter, questions=asked, seed=split_seed, force=force, **chosen
            )
        elif original is not None:
            built = import_public(original, out, reporter, seed=split_seed, force=force, **chosen)
        else:
            built = build(data, out, reporter, recipe=recipe, questions=asked, seed=seed, force=force, **chosen)
    if as_json:
        click.echo(json.dumps(summary(built), indent=2))
    else:
        print_built(built, PlainConsole())


def _check(data: tuple[Path, ...], original: Path | None, labels: Path | None, *, filmed: bool, plain: bool) -> None:
    """Raise if options do not go together."""
    if filmed and len(data) > 1:
        raise UsageError("Give one LeRobot data set: `hpvqa build --import lerobot DIR --labels labels.csv`")
    if filmed and labels is None:
        raise UsageError("What do these episodes hide? Give --labels labels.csv, with columns episode,task,left,right")
    if labels is not None and not filmed:
        raise UsageError(
            "--labels goes with a LeRobot data set: `hpvqa build --import lerobot DIR --labels labels.csv`"
        )
    if original is not None and not filmed and not plain:
        raise UsageError("An imported data set asks what the original asks: leave out --questions and --paraphrases")
    if not filmed and bool(data) == (original is not None):
        raise UsageError("Give either a data folder or --import FOLDER, such as `hpvqa build data`")
