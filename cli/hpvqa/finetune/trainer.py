"""The training itself: transformers' Trainer, with our examples, checks and files."""

from __future__ import annotations

import json
import math
import shutil
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import EarlyStoppingCallback, Trainer, TrainerCallback, TrainingArguments

from hpvqa.errors import HpvqaError, RunError
from hpvqa.finetune.examples import IGNORED, Collator
from hpvqa.finetune.settings import TrainingSettings

METRICS_FILE = "metrics.jsonl"
CHECKPOINTS = "checkpoints"
_STATE_FILE = "trainer_state.json"
_LOGS = 100
"""How often, evenly spread, the loss is written down."""


@dataclass(frozen=True)
class Machine:
    """Where training runs.

    Attributes:
        cpu: Whether without a GPU.
        bf16: Whether in bfloat16.
        workers: Processes that prepare batches ahead.
        devices: How many devices each take a batch of a step.
    """

    cpu: bool
    bf16: bool
    workers: int
    devices: int = 1


def total_steps(rows: int, settings: TrainingSettings, devices: int = 1) -> int:
    """How many steps a training takes."""
    batches = math.ceil(rows / (settings.batch_size * devices))
    steps = math.ceil(max(batches // settings.accumulation, 1) * settings.epochs)
    return steps if settings.max_steps is None else min(steps, settings.max_steps)


def last_checkpoint(out: Path) -> Path | None:
    """The newest whole checkpoint; one whose saving was cut short is passed over."""
    found = []
    for path in (out / CHECKPOINTS).glob("checkpoint-*"):
        try:
            state = json.loads((path / _STATE_FILE).read_text(encoding="utf-8"))
            found.append((int(state["global_step"]), path))
        except (OSError, ValueError, KeyError, TypeError):
            continue
    return max(found)[1] if found else None


def run_training(
    model: Any,
    train: Any,
    validation: Any,
    collator: Collator,
    settings: TrainingSettings,
    machine: Machine,
    out: Path,
    *,
    resume: Path | None,
    on_step: Callable[[int, dict[str, float]], None],
) -> dict[str, float]:
    """Train, and leave the model with the weights of its best check.

    Args:
        model: The model with its adapter.
        train: Examples to train on.
        validation: Examples to check with.
        collator: Makes batches of them.
        settings: How.
        machine: Where.
        out: Folder of ``metrics.jsonl`` and of the checkpoints.
        resume: The checkpoint to go on from.
        on_step: Told the number of every finished step, and what was measured since, if anything was.

    Returns:
        What the best check measured.

    Raises:
        RunError: The disk is full, and earlier checkpoints are whole; or a clip does not decode.
    """
    steps = total_steps(len(train), settings, machine.devices)
    every = max(1, math.ceil(steps / settings.checks))
    checkpointing = not machine.cpu if settings.gradient_checkpointing is None else settings.gradient_checkpointing
    arguments = TrainingArguments(
        output_dir=str(out / CHECKPOINTS),
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        num_train_epochs=settings.epochs,
        max_steps=-1 if settings.max_steps is None else settings.max_steps,
        learning_rate=settings.learning_rate,
        lr_scheduler_type=settings.schedule,
        warmup_steps=round(settings.warmup * steps),
        weight_decay=settings.weight_decay,
        max_grad_norm=settings.max_grad_norm,
        optim="adamw_torch",
        bf16=machine.bf16,
        gradient_checkpointing=checkpointing,
        gradient_checkpointing_kwargs={"use_reentrant": False} if checkpointing else None,
        eval_strategy="steps",
        eval_steps=every,
        save_strategy="steps",
        save_steps=every,
        save_total_limit=2,
        load_best_model_at_end=True,
        metric_for_best_model="loss",
        logging_steps=max(1, steps // _LOGS),
        seed=settings.seed,
        data_seed=settings.seed,
        use_cpu=machine.cpu,
        dataloader_num_workers=machine.workers,
        dataloader_persistent_workers=machine.workers > 0,
        dataloader_prefetch_factor=4 if machine.workers else None,
        remove_unused_columns=False,
        label_names=["labels"],
        report_to=[],
        disable_tqdm=True,
    )
    callbacks: list[Any] = [_Report(out / METRICS_FILE, on_step)]
    if settings.patience is not None:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=settings.patience))
    trainer = Trainer(
        model=model,
        args=arguments,
        train_dataset=train,
        eval_dataset=validation,
        data_collator=collator,
        compute_metrics=_accuracy,
        preprocess_logits_for_metrics=_right,
        callbacks=callbacks,
    )
    # It prints every log as a Python dictionary; ours go to the progress and to a file.
    for printer in [
        callback for callback in trainer.callback_handler.callbacks if "Printer" in type(callback).__name__
    ]:
        trainer.remove_callback(printer)
    try:
        trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    except HpvqaError as error:
        # From a process that prepares batches it comes with a traceback in front.
        name = f"{type(error).__module__}.{type(error).__qualname__}: "
        raise type(error)(str(error).rpartition(name)[2].strip()) from None
    except OSError as error:
        _drop_partial(out)
        raise RunError(
            f"The training could not be saved ({error.strerror or error}); make room, and go on with --resume"
        ) from None
    except RuntimeError as error:
        # torch reports a full disk in a sentence of its own.
        if "write" not in str(error) and "space" not in str(error):
            raise
        _drop_partial(out)
        raise RunError(
            f"The training could not be saved ({str(error).splitlines()[0]}); make room, and go on with --resume"
        ) from None
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    best = [entry for entry in trainer.state.log_history if "eval_loss" in entry]
    return min(best, key=lambda entry: entry["eval_loss"]) if best else {}


class _Report(TrainerCallback):  # type: ignore[misc] # transformers is not typed
    """Writes what is measured, and checks once more at the end."""

    def __init__(self, path: Path, on_step: Callable[[int, dict[str, float]], None]) -> None:
        self._path = path
        self._on_step = on_step

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Forget what was measured after the checkpoint that is gone on from."""
        if state.is_world_process_zero:
            kept = [line for line in _lines(self._path) if json.loads(line)["step"] <= state.global_step]
            self._path.write_text("".join(line + "\n" for line in kept), encoding="utf-8")

    def on_step_end(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Count, and have the last step checked."""
        if state.global_step >= state.max_steps:
            control.should_evaluate = True
        if state.is_world_process_zero:
            self._on_step(state.global_step, {})

    def on_log(self, args: Any, state: Any, control: Any, logs: dict[str, float] | None = None, **others: Any) -> None:
        """Write a line."""
        measured = {name: value for name, value in (logs or {}).items() if name in _WRITTEN}
        if state.is_world_process_zero and measured:
            with self._path.open("a", encoding="utf-8") as file:
                file.write(json.dumps({"step": state.global_step, **measured}) + "\n")
            self._on_step(state.global_step, measured)


_WRITTEN = ("epoch", "loss", "grad_norm", "learning_rate", "eval_loss", "eval_accuracy")


def _lines(path: Path) -> list[str]:
    if not path.is_file():
        return []
    lines = path.read_text(encoding="utf-8").splitlines(keepends=True)
    return [line.rstrip("\n") for line in lines if line.endswith("\n")]


def _right(logits: Any, labels: Any) -> Any:
    """Whether the first token of each answer is the likeliest of all, shape (rows,)."""
    if isinstance(logits, tuple):
        logits = logits[0]
    first = (labels != IGNORED).int().argmax(1)
    rows = torch.arange(len(labels), device=labels.device)
    return (logits[rows, first - 1].argmax(-1) == labels[rows, first]).float()


def _accuracy(found: Any) -> dict[str, float]:
    return {"accuracy": float(np.mean(found.predictions))}


def _drop_partial(out: Path) -> None:
    """Remove a checkpoint whose saving was cut short."""
    for path in (out / CHECKPOINTS).glob("checkpoint-*"):
        if not (path / _STATE_FILE).is_file():
            shutil.rmtree(path, ignore_errors=True)
