"""Fine-tuning from beginning to end: rows, model, training, and the adapter's folder."""

from __future__ import annotations

import shutil
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from hpvqa.dataset.load import Dataset
from hpvqa.errors import MissingDependencyError, UsageError
from hpvqa.files import write_json
from hpvqa.finetune.card import write_card
from hpvqa.finetune.plots import draw_training
from hpvqa.finetune.ranks import is_first, processes
from hpvqa.finetune.rows import TrainingRows, training_rows
from hpvqa.finetune.settings import FinetuneRecipe
from hpvqa.install import pip_install
from hpvqa.progress.reporter import Reporter
from hpvqa.versions import versions_of
from hpvqa.vlm.adapter import name_base
from hpvqa.vlm.checkpoint import check_checkpoint, locate, weight_shapes
from hpvqa.vlm.embedded import BASE, NAMES
from hpvqa.vlm.families import Family, find_family, resolve_model
from hpvqa.vlm.frames.cache import FrameCache
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.frames.sampling import FrameSampling
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.prompt import Prompt, PromptRecord, load_prompt
from hpvqa.vlm.quiet import quiet
from hpvqa.vlm.training_record import RECORD_FILE, TrainingRecord, read_training_record, views_of

_PACKAGES = ("torch", "transformers", "peft", "accelerate", "av", "numpy")


@dataclass(frozen=True)
class Job:
    """What is to be trained.

    Attributes:
        dataset: The data set; only its training split is looked at.
        model: A model folder, hub id, or name of a model family.
        recipe: How.
        out: Folder of the adapter.
        task: The only task; None: all.
        cameras: The only cameras; none: all.
        device: auto: a GPU if there is one.
        cache: Where decoded frames are kept; None: nowhere.
        workers: Processes that prepare batches ahead.
    """

    dataset: Dataset
    model: str
    recipe: FinetuneRecipe
    out: Path
    task: str | None = None
    cameras: tuple[str, ...] = ()
    device: Literal["auto", "cpu", "cuda"] = "auto"
    cache: FrameCache | None = None
    workers: int = 2


@dataclass(frozen=True)
class Prepared:
    """What follows from a job before the model's weights are loaded."""

    family: Family
    prompt: Prompt
    frames: FrameSampling
    rows: TrainingRows
    record: TrainingRecord


def prepare(job: Job) -> Prepared:
    """Check a job, and work out what is trained on what.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    recipe, family = job.recipe, find_family(job.model)
    prompt = load_prompt(recipe.prompt)
    given = "resolution" in recipe.frames.model_fields_set
    frames = recipe.frames if given else recipe.frames.model_copy(update={"resolution": family.resolution})
    if frames.resolution is not None:
        family.check_size(*frames.resolution)
    training = recipe.training
    rows = training_rows(
        job.dataset,
        prompt,
        task=job.task,
        cameras=job.cameras,
        validation=training.validation,
        seed=training.seed,
    )
    record = TrainingRecord(
        model=job.model,
        family=family.name,
        dataset=str(job.dataset.root),
        fingerprint=job.dataset.fingerprint,
        task=job.task,
        cameras=job.cameras,
        views=views_of((item.row.task, item.row.camera) for item in rows.train),
        prompt=PromptRecord.of(prompt),
        frames=frames,
        recipe=recipe.model_copy(update={"frames": frames}).model_dump(mode="json"),
        versions=versions_of(_PACKAGES),
    )
    return Prepared(family, prompt, frames, rows, record)


@dataclass(frozen=True)
class Finetuned:
    """What a training made.

    Attributes:
        adapter: Folder of the adapter.
        trainable: How many parameters were trained.
        total: How many the model has with them.
        best: What the best check measured.
        plots: Pictures of the training; none without Matplotlib.
    """

    adapter: Path
    trainable: int
    total: int
    best: dict[str, float]
    plots: tuple[Path, ...]


def finetune(job: Job, reporter: Reporter, *, resume: bool = False, command: str) -> Finetuned:
    """Train an adapter. Of several processes that do so together, only the first one writes files.

    Args:
        job: What.
        reporter: Told of every step.
        resume: Go on with the newest whole checkpoint in the folder.
        command: The command line, for the adapter's card.

    Raises:
        HpvqaError: The message says what is wrong; checkpoints that were written stay.
    """
    try:
        import torch

        from hpvqa.finetune.data import Examples
        from hpvqa.finetune.examples import Collator
        from hpvqa.finetune.trainer import METRICS_FILE, Machine, last_checkpoint, run_training, total_steps
    except ImportError as error:
        raise MissingDependencyError(f"Fine-tuning needs {error.name}; run: {pip_install('vlm')}") from None
    prepared = prepare(job)
    settings = job.recipe.training
    if is_first():
        _check_out(job.out, prepared.record, resume)
    # A large model should not have to be loaded to find out that its download was interrupted.
    folder = locate(job.model)
    check_checkpoint(folder)
    weight_shapes(folder)
    checkpoint = last_checkpoint(job.out) if resume else None
    cpu = job.device == "cpu" or not torch.cuda.is_available()
    # One process with several GPUs shares out each batch among them; of several processes each has one.
    devices = processes() if processes() > 1 or cpu else torch.cuda.device_count()
    machine = Machine(cpu, bf16=not cpu and torch.cuda.is_bf16_supported(), workers=job.workers, devices=devices)
    processor = load_processor(resolve_model(job.model))
    reporter.note(f"Loading {job.model}")
    model = load_with_lora(job, prepared.family, machine.bf16, reporter.warning)
    trainable, total = count_parameters(model)
    if is_first() and not resume:
        # Only now: what could not even be loaded leaves nothing behind.
        job.out.mkdir(parents=True, exist_ok=True)
        write_json(job.out / RECORD_FILE, prepared.record.model_dump(mode="json"))
    read = read_clip if job.cache is None else job.cache.read
    done = 0 if checkpoint is None else int(checkpoint.name.rpartition("-")[2])
    train = Examples(prepared.rows.train, prepared.frames, read, mirror=settings.mirror)
    reporter.start("finetune", "steps", total_steps(len(train), settings, devices), done)
    best = run_training(
        model,
        train,
        Examples(prepared.rows.validation, prepared.frames, read),
        Collator(processor, prepared.family),
        settings,
        machine,
        job.out,
        resume=checkpoint,
        on_step=lambda step, measured: _report(reporter, step, measured),
    )
    reporter.done()
    if not is_first():
        return Finetuned(job.out, trainable, total, best, ())
    plots = _plots(job.out / METRICS_FILE, job.out, reporter)
    _save(model, job.out)
    if job.model in NAMES:
        name_base(job.out, BASE)
    write_card(job.out, prepared.record, job.recipe, prepared.rows, trainable, total, best, command)
    return Finetuned(job.out, trainable, total, best, plots)


def load_with_lora(job: Job, family: Family, bf16: bool, tell: Callable[[str], None]) -> Any:
    """The model with a new adapter on it.

    Raises:
        UsageError: The model cannot be loaded, or no layer is trained.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    from hpvqa.finetune.model import with_lora

    try:
        with quiet():
            model = AutoModelForImageTextToText.from_pretrained(
                resolve_model(job.model), dtype=torch.bfloat16 if bf16 else torch.float32, local_files_only=True
            )
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"{job.model} cannot be loaded ({reason}); is its download complete?") from None
    # Some architectures look for it in the language model's own settings.
    model.config.use_cache = model.config.get_text_config().use_cache = False
    return with_lora(model, family, job.recipe.lora, job.recipe.training.seed, tell)[0]


def count_parameters(model: Any) -> tuple[int, int]:
    """How many parameters are trained, and how many there are."""
    sizes = [(parameter.numel(), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)


def _check_out(out: Path, record: TrainingRecord, resume: bool) -> None:
    found = read_training_record(out)
    if not resume:
        if out.exists() and (not out.is_dir() or any(out.iterdir())):
            raise UsageError(f"{out} exists; go on with --resume, or choose another --out")
        return
    if found is None:
        raise UsageError(f"{out} holds no training to go on with; leave out --resume")
    a, b = (entry.model_dump(mode="json", exclude={"dataset", "versions"}) for entry in (found, record))
    different = [name for name in a if a[name] != b[name]]
    if different:
        raise UsageError(
            f"{out} was begun with other settings ({', '.join(different)}); give the same command, or another --out"
        )


def _report(reporter: Reporter, step: int, measured: dict[str, float]) -> None:
    if not measured:
        reporter.item(f"step {step}")
    elif "eval_loss" in measured:
        accuracy = measured.get("eval_accuracy", float("nan"))
        reporter.note(f"step {step}: validation loss {measured['eval_loss']:.4f}, accuracy {accuracy:.3f}")


def _plots(metrics: Path, out: Path, reporter: Reporter) -> tuple[Path, ...]:
    try:
        return tuple(draw_training(metrics, out))
    except MissingDependencyError as error:
        reporter.note(str(error))
        return ()


def _save(model: Any, out: Path) -> None:
    """Write the adapter; files of an earlier one are replaced one by one, each whole."""
    partial = Path(tempfile.mkdtemp(prefix=".adapter.", dir=out))
    try:
        model.save_pretrained(partial)
        for path in sorted(partial.iterdir()):
            path.replace(out / path.name)
    finally:
        shutil.rmtree(partial, ignore_errors=True)
