"""The training itself: transformers' Trainer, with our examples, checks and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer

from hpvqa.errors import RunError
from hpvqa.finetune.arguments import Machine, arguments
from hpvqa.finetune.batches import FAILED, Packer, Source, Workers
from hpvqa.finetune.checkpoints import saving
from hpvqa.finetune.course import CORRECT, Report, accuracy
from hpvqa.finetune.decisions import Decisions
from hpvqa.finetune.examples import Collator, Lessons
from hpvqa.finetune.prepared import Measure
from hpvqa.finetune.settings import TrainingSettings
from hpvqa.vlm.training_record import METRICS_FILE


@dataclass(frozen=True)
class Data:
    """What is trained on.

    Attributes:
        train: Examples to train on.
        validation: Examples to check with.
        collator: Makes batches of them.
        measure: What counts as correct.
        decisions: What is asked where thoughts must be written out first.
    """

    train: Lessons
    validation: Lessons
    collator: Collator
    measure: Measure = "first"
    decisions: Decisions | None = None


@dataclass(frozen=True)
class Course:
    """How a training went.

    Attributes:
        steps: Optimiser steps that were taken.
        epochs: How often every row was seen.
        best: What the best check measured.
    """

    steps: int
    epochs: float
    best: dict[str, float]


def run_training(
    model: Any,
    data: Data,
    settings: TrainingSettings,
    machine: Machine,
    out: Path,
    *,
    resume: Path | None,
    on_step: Callable[[int, dict[str, float]], None],
    trackers: Sequence[Any] = (),
) -> Course:
    """Train, and leave the model with the weights of its best check.

    Args:
        model: The model with its adapter.
        data: What it is trained on.
        settings: How.
        machine: Where.
        out: Folder of ``metrics.jsonl`` and of the checkpoints.
        resume: The checkpoint to go on from.
        on_step: Told the number of every finished step, and what was measured since, if anything was.
        trackers: Callbacks that record the course elsewhere, too.

    Raises:
        RunError: A checkpoint could not be written, and earlier ones are whole; there is too little memory; or a
            process that prepares batches was killed.
        HpvqaError: A clip does not decode, or does not suit the model.
    """
    workers = Workers()
    callbacks: list[Any] = [Report(out / METRICS_FILE, on_step), *trackers]
    if settings.patience is not None:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=settings.patience))
    correct = CORRECT.get(data.measure)
    trainer = _Trainer(
        workers,
        data.decisions,
        model=model,
        args=arguments(settings, machine, len(data.train), out),
        train_dataset=Source(data.train),
        eval_dataset=Source(data.validation),
        data_collator=Packer(data.collator),
        compute_metrics=None if correct is None else accuracy,
        preprocess_logits_for_metrics=correct,
        callbacks=callbacks,
    )
    # It prints every log as a Python dictionary; ours go to the progress and to a file.
    trainer.remove_callback(PrinterCallback)
    with workers.watched(), _in_memory(machine):
        trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    state = trainer.state
    checks = [entry for entry in state.log_history if "eval_loss" in entry]
    best = min(checks, key=lambda entry: entry["eval_loss"]) if checks else {}
    return Course(state.global_step, float(state.epoch or 0.0), best)


class _Trainer(Trainer):  # type: ignore[misc] # transformers is not typed
    """Takes our batches, has thoughts written out, and writes its checkpoints whole or not at all."""

    def __init__(self, workers: Workers, decisions: Decisions | None, **arguments: Any) -> None:
        super().__init__(**arguments)
        self._workers, self._decisions = workers, decisions

    def get_train_dataloader(self) -> Any:
        return self._with_workers(super().get_train_dataloader())

    def get_eval_dataloader(self, eval_dataset: Any = None) -> Any:
        return self._with_workers(super().get_eval_dataloader(eval_dataset))

    def _with_workers(self, loader: Any) -> Any:
        if loader.num_workers:
            # Inside of what accelerate has made of it.
            loader.base_dataloader.multiprocessing_context = self._workers
        return loader

    def evaluation_loop(self, *args: Any, **named: Any) -> Any:
        output = super().evaluation_loop(*args, **named)
        if self._decisions is not None:
            output.metrics["eval_accuracy"] = self._decisions.correct(self.accelerator.unwrap_model(self.model))
        return output

    def _prepare_inputs(self, inputs: Any) -> Any:
        if FAILED in inputs:
            raise inputs[FAILED]
        return super()._prepare_inputs(inputs)

    def _save_checkpoint(self, model: Any, trial: Any) -> None:
        if not self.args.should_save:
            super()._save_checkpoint(model, trial)
            return
        folder = Path(self.args.output_dir)
        with saving(folder.parent, folder / f"checkpoint-{self.state.global_step}"):
            super()._save_checkpoint(model, trial)


@contextmanager
def _in_memory(machine: Machine) -> Iterator[None]:
    try:
        yield
    except (torch.OutOfMemoryError, MemoryError):
        where = "machine" if machine.cpu else "GPU"
        raise RunError(
            f"A batch does not fit into the memory of the {where}; begin again with a smaller --batch-size, and with "
            "--set training.accumulation=2 or more in its place"
        ) from None
