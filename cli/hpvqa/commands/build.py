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


@click.command(
    epilog="""\b
Examples:
  hpvqa build data --out dataset
  hpvqa build data --out dataset --recipe paper
  hpvqa build pushes drops --out dataset
  hpvqa build data --out dataset --questions compare,value --paraphrases
  hpvqa build --import public-original --out dataset
"""
)
@click.argument("data", type=click.Path(path_type=Path), nargs=-1)
@click.option(
    "--import",
    "original",
    type=click.Path(path_type=Path),
    help="Take over a data set in the public original's form (metadata.jsonl and clips) instead of DATA.",
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
    from hpvqa.dataset.importing import import_public
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import reporting

    if "compare" not in questions:
        raise UsageError("A data set always asks to compare: build with --questions compare,value, and choose later")
    if original is not None and (paraphrased or "value" in questions):
        raise UsageError("An imported data set asks what the original asks: leave out --questions and --paraphrases")
    if bool(data) == (original is not None):
        raise UsageError("Give either a data folder or --import FOLDER, such as `hpvqa build data`")
    chosen = {} if licence is None else {"licence": licence}
    with reporting(PlainConsole(stderr=True), None, time.time) as reporter:
        if original is not None:
            split_seed = recipe.seed if seed is None else seed
            built = import_public(original, out, reporter, seed=split_seed, force=force, **chosen)
        else:
            asked = Questions(questions, paraphrased)
            built = build(data, out, reporter, recipe=recipe, questions=asked, seed=seed, force=force, **chosen)
    if as_json:
        click.echo(json.dumps(summary(built), indent=2))
    else:
        print_built(built, PlainConsole())
