"""``hpvqa finetune``: a LoRA adapter from a data set, or from samples of scenes."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import click

from hpvqa.commands.common import camera_option, json_option, progress_option, task_option
from hpvqa.commands.field_option import field_option
from hpvqa.commands.model_options import FrameSize, ModelType
from hpvqa.commands.param_types import FileOrName, Number, Whole
from hpvqa.errors import INTERRUPTED
from hpvqa.finetune.settings import FinetuneRecipe, LoraSettings, TrainingSettings, finetune_recipe_names
from hpvqa.finetune.track import TRACKERS, Tracker
from hpvqa.vlm.frames.sampling import FrameSampling

if TYPE_CHECKING:
    from hpvqa.dataset.load import Dataset
    from hpvqa.explore.samples.load import SampleFolder
    from hpvqa.vlm.frames.cache import FrameCache

_OF_RECIPE = "the recipe's"
_OF_FRAMES = ("sampler", "fps", "frames", "resolution")


@click.command(
    epilog="""\b
Examples:
  hpvqa finetune --model qwen3.5 --out runs/lora
  hpvqa finetune --model internvl3.5 --recipe paper-lora --out runs/paper
  hpvqa finetune --model ./checkpoint --task drop --sampler dense --out x
  hpvqa finetune --model qwen3.5 --set lora.rank=32 --out x --dry-run
  hpvqa finetune --model qwen3.5 --quantize nf4 --track tensorboard --out x
  torchrun --nproc-per-node 4 -m hpvqa finetune --model qwen3.5 --out x
  hpvqa finetune --samples samples --model qwen3-vl --out runs/steps
  hpvqa finetune --samples samples --recipe align-lora --model x --out a
  hpvqa finetune --samples samples --adapter a --model x --out b

A training that was interrupted goes on with --resume. Decoded frames are kept in $HPVQA_CACHE (see --cache-size).
"""
)
@click.option(
    "--dataset",
    type=click.Path(path_type=Path),
    help="Folder of the data set.  [default: dataset, unless --samples is given]",
)
@click.option(
    "--samples",
    type=click.Path(path_type=Path),
    help="In place of a data set, samples of scenes that hpvqa explore build has made.",
)
@click.option(
    "--model",
    type=ModelType(baselines=False),
    required=True,
    help="A model folder, a hub id, a model family such as qwen3.5, or embedded-base (it comes with hpvqa).",
)
@click.option("--out", type=click.Path(path_type=Path), required=True, help="Folder of the adapter, a new one.")
@click.option(
    "--adapter",
    type=click.Path(path_type=Path),
    help="Go on from this adapter of the same model, in a new folder.  [default: a new one]",
)
@click.option(
    "--recipe",
    type=FileOrName(finetune_recipe_names),
    help="Recipe of fine-tuning: lora, paper-lora (exactly the paper's Table 2), or a YAML file; for samples "
    "align-lora, see-lora, reason-lora.  [default: lora, or reason-lora]",
)
@task_option
@camera_option()
@field_option(TrainingSettings, "epochs", default=_OF_RECIPE)
@field_option(TrainingSettings, "max_steps", default=_OF_RECIPE)
@field_option(TrainingSettings, "learning_rate", default=_OF_RECIPE)
@field_option(TrainingSettings, "batch_size", default=_OF_RECIPE)
@field_option(TrainingSettings, "patience", default=_OF_RECIPE)
@field_option(TrainingSettings, "seed", default=_OF_RECIPE)
@field_option(LoraSettings, "quantize", default=_OF_RECIPE)
@field_option(FrameSampling, "sampler", help="Which frames are seen, as in hpvqa eval.  [default: the recipe's]")
@field_option(FrameSampling, "fps", help="Frames a second.  [default: the recipe's]")
@field_option(FrameSampling, "count", "--frames")
@click.option("--resolution", type=FrameSize(), help="Size of the frames, or native.  [default: the model family's]")
@click.option("--set", "changes", multiple=True, metavar="KEY=VALUE", help="Any other value, such as lora.rank=32.")
@click.option(
    "--device",
    type=click.Choice(["auto", "cpu", "cuda"]),
    default="auto",
    show_default=True,
    help="Device to train on; auto: a GPU if there is one.",
)
@click.option("--workers", type=Whole(min=0), default=2, show_default=True, help="Processes that prepare batches.")
@click.option(
    "--cache-size",
    type=Number(min=0),
    default=20.0,
    show_default=True,
    help="Size limit of the cache of decoded frames [GB]; 0: no cache.",
)
@click.option(
    "--track",
    type=click.Choice(TRACKERS),
    default="none",
    show_default=True,
    help="Record the training with this tracker, too; its keys and addresses are read from the environment.",
)
@click.option("--resume", is_flag=True, help="Go on with the newest checkpoint in --out, or begin where there is none.")
@click.option("--dry-run", is_flag=True, help="Only say what would be trained, and the memory that it needs.")
@click.option("--no-eval", is_flag=True, help="Do not answer the evaluation split in the end.")
@progress_option
@json_option
@click.pass_context
def command(
    ctx: click.Context,
    /,
    dataset: Path | None,
    samples: Path | None,
    model: str,
    out: Path,
    adapter: Path | None,
    recipe: str | None,
    task: str | None,
    cameras: tuple[str, ...] | None,
    changes: tuple[str, ...],
    device: Literal["auto", "cpu", "cuda"],
    workers: int,
    cache_size: float,
    track: Tracker,
    resume: bool,
    dry_run: bool,
    no_eval: bool,
    progress_file: Path | None,
    as_json: bool,
    **given: Any,
) -> None:
    """Train a LoRA adapter of a model on the training split of a data set, or of samples of scenes.

    A tenth of the training episodes choose the checkpoint; the evaluation split is answered once, in the end. The
    adapter's folder says how it was made, and `hpvqa eval --adapter` shows the model the same frames and prompt; one
    that was trained on samples plays scenes as it was taught, with `hpvqa explore run --adapter`.
    """
    import shlex
    import sys
    import time

    from hpvqa.commands.finetune_table import print_plan, print_result
    from hpvqa.finetune.evaluation import evaluate_adapter
    from hpvqa.finetune.folder import after_interrupt
    from hpvqa.finetune.ranks import is_first
    from hpvqa.finetune.run import TrainingJob, finetune
    from hpvqa.finetune.settings import load_finetune_recipe
    from hpvqa.progress.console import PlainConsole
    from hpvqa.progress.reporter import Reporter, reporting

    of_rows = {"--task": task, "--camera": cameras, **{f"--{name}": given[name] for name in _OF_FRAMES}}
    material = _material(dataset, samples, [name for name, value in of_rows.items() if value is not None])
    usual = "lora" if samples is None else "reason-lora"
    settings = _overridden(load_finetune_recipe(recipe or usual), given, changes)
    cache, trouble = _cache(cache_size)
    job = TrainingJob(
        dataset=material,
        model=model,
        recipe=settings,
        out=out,
        task=task,
        cameras=cameras or (),
        device=device,
        cache=cache,
        workers=workers,
        adapter=adapter,
        track=track,
    )
    console = PlainConsole()
    if dry_run:
        from hpvqa.finetune.dry_run import plan

        print_plan(plan(job), console, as_json=as_json)
        return
    try:
        if not is_first():
            finetune(job, Reporter([], time.time), resume=resume, command="")
            return
        with reporting(PlainConsole(stderr=True), progress_file, time.time) as reporter:
            if trouble is not None:
                reporter.warning(trouble)
            done = finetune(job, reporter, resume=resume, command=shlex.join(["hpvqa", *sys.argv[1:]]))
            predictions = None if no_eval else evaluate_adapter(job, reporter)
    except KeyboardInterrupt:
        click.echo(after_interrupt(out), err=True)
        ctx.exit(INTERRUPTED)
    print_result(done, predictions, console, as_json=as_json)


def _material(dataset: Path | None, samples: Path | None, of_rows: Sequence[str]) -> Dataset | SampleFolder:
    """What is trained on.

    Args:
        dataset: Folder of a data set, as it was given.
        samples: Folder of samples of scenes.
        of_rows: Options that were given and that only data sets have.
    """
    from hpvqa.dataset.load import open_dataset
    from hpvqa.errors import UsageError
    from hpvqa.explore.samples.folder import SAMPLES_FILE
    from hpvqa.explore.samples.load import open_samples

    if samples is None:
        folder = dataset or Path("dataset")
        if (folder / SAMPLES_FILE).is_file():
            raise UsageError(f"{folder} holds samples of scenes; give it as --samples")
        return open_dataset(folder)
    if dataset is not None:
        raise UsageError("Give either --dataset or --samples")
    if of_rows:
        raise UsageError(f"{of_rows[0]} is for data sets, samples of scenes say themselves what is seen; leave it out")
    return open_samples(samples)


def _cache(gigabytes: float) -> tuple[FrameCache | None, str | None]:
    """Where decoded frames are kept, and why nowhere if that is not possible: it costs only time."""
    import os

    from hpvqa.errors import UsageError
    from hpvqa.resources import default_cache
    from hpvqa.vlm.frames.cache import FrameCache

    if not gigabytes:
        return None, None
    try:
        return FrameCache(default_cache(os.environ) / "frames", round(gigabytes * 1e9)), None
    except UsageError as error:
        return None, f"Decoded frames are not kept. {error}"
    except OSError as error:
        return None, f"Decoded frames are not kept ({error.strerror or error}); name a folder for them in HPVQA_CACHE"


def _overridden(recipe: FinetuneRecipe, given: dict[str, Any], changes: tuple[str, ...]) -> FinetuneRecipe:
    from hpvqa.errors import UsageError
    from hpvqa.finetune.settings import override
    from hpvqa.plain import parse_yaml

    names = {
        **{name: f"training.{name}" for name in TrainingSettings.model_fields},
        "quantize": "lora.quantize",
        "sampler": "frames.sampler",
        "fps": "frames.fps",
        "frames": "frames.count",
        "resolution": "frames.resolution",
    }
    found = {names[name]: value for name, value in given.items() if value is not None}
    options = {names[name]: "--" + name.replace("_", "-") for name in given}
    if found.get("frames.resolution") == "native":
        found["frames.resolution"] = None
    for change in changes:
        name, equals, value = change.partition("=")
        if not equals:
            raise UsageError(f"--set looks like lora.rank=32, {change!r} does not")
        try:
            found[name] = parse_yaml(value)
        except ValueError as error:
            raise UsageError(f"--set {name} cannot be read: {error}") from None
        options[name] = f"--set {name}"
    return override(recipe, found, options)
