"""Fine-tuning from beginning to end: rows, model, training, and the adapter's folder."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from hpvqa.dataset.load import Dataset
from hpvqa.errors import MissingDependencyError, RunError, UsageError
from hpvqa.explore.samples.load import SampleFolder
from hpvqa.files import write_text
from hpvqa.finetune.ahead import decoding_ahead
from hpvqa.finetune.card import CARD_FILE
from hpvqa.finetune.checkpoints import last_checkpoint, step_of
from hpvqa.finetune.clips import Chosen, prepare_clips
from hpvqa.finetune.folder import check_out, claimed
from hpvqa.finetune.plots import draw_training
from hpvqa.finetune.prepared import Made, Prepared
from hpvqa.finetune.quantized import check_quantized, count_of, loading
from hpvqa.finetune.ranks import is_first, processes
from hpvqa.finetune.settings import FinetuneRecipe
from hpvqa.finetune.steps import prepare_steps
from hpvqa.finetune.track import Tracker, check_tracker, open_tracker
from hpvqa.install import pip_install
from hpvqa.progress.reporter import Reporter
from hpvqa.versions import versions_of
from hpvqa.vlm.adapter import Adapter, check_adapter, name_base, read_adapter
from hpvqa.vlm.checkpoint import check_checkpoint, locate, weight_shapes
from hpvqa.vlm.device import Device, choose_device
from hpvqa.vlm.embedded import base_of
from hpvqa.vlm.families import Family, resolve_model
from hpvqa.vlm.frames.cache import FrameCache
from hpvqa.vlm.frames.read import read_clip
from hpvqa.vlm.processing import load_processor
from hpvqa.vlm.quiet import quiet
from hpvqa.vlm.saving import of_disk, open_up, reason
from hpvqa.vlm.training_record import METRICS_FILE, Start

if TYPE_CHECKING:
    from hpvqa.finetune.arguments import Machine

_PACKAGES = ("torch", "transformers", "peft", "accelerate", "av", "numpy")


@dataclass(frozen=True)
class TrainingJob:
    """What is to be trained.

    Attributes:
        dataset: The data set, or the samples of scenes; only the training split is looked at.
        model: A model folder, hub id, or name of a model family.
        recipe: How.
        out: Folder of the adapter.
        task: The only task of a data set; None: all.
        cameras: The only cameras of a data set; none: all.
        device: auto: a GPU if there is one.
        cache: Where decoded frames are kept; None: nowhere.
        workers: Processes that prepare batches ahead.
        adapter: The adapter that is gone on from; None: a new one.
        track: Where the course is recorded besides.
    """

    dataset: Dataset | SampleFolder
    model: str
    recipe: FinetuneRecipe
    out: Path
    task: str | None = None
    cameras: tuple[str, ...] = ()
    device: Literal["auto", "cpu", "cuda"] = "auto"
    cache: FrameCache | None = None
    workers: int = 2
    adapter: Path | None = None
    track: Tracker = "none"

    @cached_property
    def start(self) -> Adapter | None:
        """The adapter that is gone on from.

        Raises:
            UsageError: It is none that can be read.
        """
        return None if self.adapter is None else read_adapter(self.adapter)


def prepare(job: TrainingJob) -> Prepared:
    """Check a job, and work out what is trained on what.

    Raises:
        HpvqaError: The message says what is wrong.
    """
    start = None if job.start is None else Start(adapter=str(job.start.folder), sha256=job.start.sha256)
    versions = versions_of(_PACKAGES)
    if isinstance(job.dataset, SampleFolder):
        return prepare_steps(job.dataset, job.model, job.recipe, start, versions)
    chosen = Chosen(job.task, job.cameras, read_clip if job.cache is None else job.cache.read)
    return prepare_clips(job.dataset, job.model, job.recipe, chosen, start, versions)


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


@dataclass(frozen=True)
class _Loaded:
    """What a training takes besides its job."""

    prepared: Prepared
    machine: Machine
    processor: Any
    model: Any


def finetune(job: TrainingJob, reporter: Reporter, *, resume: bool = False, command: str) -> Finetuned:
    """Train an adapter. Of several processes that do so together, only the first one writes files.

    Args:
        job: What.
        reporter: Told of every step.
        resume: Go on with the newest whole checkpoint in the folder, or begin where there is none.
        command: The command line, for the adapter's card.

    Raises:
        HpvqaError: The message says what is wrong; checkpoints that were written stay.
    """
    prepared = prepare(job)
    if job.start is not None:
        check_adapter(job.start, job.model)
    check_quantized(job.recipe.lora, cpu=job.device == "cpu")
    check_tracker(job.track)
    if is_first():
        check_out(job.out, prepared.record, resume)
    with decoding_ahead(job.cache, prepared.clips if is_first() else (), job.workers):
        # What is wrong above is said at once: these imports take seconds.
        try:
            from hpvqa.finetune import trainer  # noqa: F401
        except ImportError as error:
            raise MissingDependencyError(f"Fine-tuning needs {error.name}; run: {pip_install('vlm')}") from None
        loaded = _load(job, prepared, choose_device(job.device), reporter)
    for warning in prepared.warnings:
        reporter.warning(warning)
    # Only now: what could not even be loaded leaves nothing behind.
    config = prepared.record.model_dump(mode="json")

    def begin() -> Any:
        return open_tracker(job.track, job.out, config, os.environ, reporter.warning)

    with claimed(job.out, prepared.record, resume, begin) if is_first() else nullcontext() as tracker:
        return _train(job, loaded, reporter, tracker, resume=resume, command=command)


def _load(job: TrainingJob, prepared: Prepared, device: Device, reporter: Reporter) -> _Loaded:
    import torch

    from hpvqa.finetune.arguments import Machine
    from hpvqa.finetune.batches import Workers

    # A large model should not have to be loaded to find out that its download was interrupted.
    folder = locate(job.model)
    check_checkpoint(folder)
    weight_shapes(folder)
    trouble = Workers().trouble() if job.workers else None
    if trouble is not None:
        reporter.warning(f"No processes can prepare batches ahead here ({trouble}), so training is slower")
    cpu = device == "cpu"
    # One process with several GPUs shares out each batch among them; of several processes each has one.
    devices = processes() if processes() > 1 or cpu else torch.cuda.device_count()
    bf16 = not cpu and torch.cuda.is_bf16_supported()
    machine = Machine(cpu, bf16, workers=0 if trouble else job.workers, devices=devices)
    processor = load_processor(resolve_model(job.model))
    reporter.note(f"Loading {job.model}")
    return _Loaded(prepared, machine, processor, load_with_lora(job, prepared.family, bf16, reporter.warning))


def _train(
    job: TrainingJob, loaded: _Loaded, reporter: Reporter, tracker: Any, *, resume: bool, command: str
) -> Finetuned:
    from hpvqa.finetune.arguments import total_steps
    from hpvqa.finetune.decisions import Decisions
    from hpvqa.finetune.examples import Collator
    from hpvqa.finetune.trainer import Data, run_training

    prepared, model, settings = loaded.prepared, loaded.model, job.recipe.training
    checkpoint = last_checkpoint(job.out) if resume else None
    if resume and checkpoint is None:
        reporter.note(f"{job.out} holds no checkpoint to go on from, so the training begins")
    steps = total_steps(len(prepared.train), settings, loaded.machine.devices)
    reporter.start("finetune", "steps", steps, step_of(checkpoint))
    course = run_training(
        model,
        Data(
            prepared.train,
            prepared.validation,
            Collator(loaded.processor, prepared.family),
            prepared.measure,
            Decisions.of(prepared, job.recipe, loaded.processor) if prepared.measure == "spoken" else None,
        ),
        settings,
        loaded.machine,
        job.out,
        resume=checkpoint,
        on_step=lambda step, measured: _report(reporter, step, measured),
        trackers=[] if tracker is None else [tracker],
    )
    reporter.done()
    trainable, total = count_parameters(model)
    if not is_first():
        return Finetuned(job.out, trainable, total, course.best, ())
    plots = _plots(job.out, prepared.chance, reporter)
    _save(model, job.out, base_of(job.model))
    made = Made(job.out, job.recipe, (trainable, total), course, command)
    write_text(job.out / CARD_FILE, prepared.card(made))
    return Finetuned(job.out, trainable, total, course.best, plots)


def load_with_lora(job: TrainingJob, family: Family, bf16: bool, tell: Callable[[str], None]) -> Any:
    """The model with a new adapter on it.

    Raises:
        UsageError: The model cannot be loaded, or no layer is trained.
    """
    import torch
    from transformers import AutoModelForImageTextToText

    from hpvqa.finetune.model import with_lora
    from hpvqa.finetune.start import begin_with
    from hpvqa.vlm.pooled import register

    register()
    try:
        with quiet():
            model = AutoModelForImageTextToText.from_pretrained(
                resolve_model(job.model),
                dtype=torch.bfloat16 if bf16 else torch.float32,
                local_files_only=True,
                **loading(job.recipe.lora, bf16=bf16, cpu=job.device == "cpu"),
            )
    except (OSError, ValueError, KeyError) as error:
        reason = str(error).strip().partition("\n")[0]
        raise UsageError(f"{job.model} cannot be loaded ({reason}); is its download complete?") from None
    # Some architectures look for it in the language model's own settings.
    model.config.use_cache = model.config.get_text_config().use_cache = False
    model, _ = with_lora(model, family, job.recipe.lora, job.recipe.training.seed, tell, job.start)
    if job.start is not None:
        begin_with(model, job.start)
    return model


def count_parameters(model: Any) -> tuple[int, int]:
    """How many parameters are trained, and how many there are."""
    sizes = [(count_of(parameter), parameter.requires_grad) for parameter in model.parameters()]
    return sum(size for size, trained in sizes if trained), sum(size for size, _ in sizes)


def _report(reporter: Reporter, step: int, measured: dict[str, float]) -> None:
    if not measured:
        reporter.item(f"step {step}")
    elif "eval_loss" in measured:
        accuracy = f", accuracy {measured['eval_accuracy']:.3f}" if "eval_accuracy" in measured else ""
        reporter.note(f"step {step}: validation loss {measured['eval_loss']:.4f}{accuracy}")


def _plots(out: Path, chance: float | None, reporter: Reporter) -> tuple[Path, ...]:
    try:
        return tuple(draw_training(out / METRICS_FILE, out, chance))
    except MissingDependencyError as error:
        reporter.note(str(error))
        return ()


def _save(model: Any, out: Path, base: str | None) -> None:
    """Write the adapter; files of an earlier one are replaced one by one, each whole.

    Args:
        model: The model with its adapter.
        out: Folder of the adapter.
        base: What the model is called, where that is not the place it was loaded from.
    """
    draft = out / ".adapter.partial"
    shutil.rmtree(draft, ignore_errors=True)
    try:
        draft.mkdir()
        model.save_pretrained(draft)
        # PEFT writes a card, which says less than ours.
        (draft / CARD_FILE).unlink(missing_ok=True)
        if base is not None:
            name_base(draft, base)
        open_up(draft)
        for path in sorted(draft.iterdir()):
            path.replace(out / path.name)
    except Exception as error:
        if not of_disk(error):
            raise
        raise RunError(
            f"The adapter could not be saved in {out} ({reason(error, draft)}); make room there, and go on with "
            "--resume"
        ) from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)
