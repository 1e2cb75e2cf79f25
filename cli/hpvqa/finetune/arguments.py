"""From a recipe to the arguments of transformers' Trainer."""

from __future__ import annotations

import math
from dataclasses import dataclass
from pathlib import Path

from transformers import TrainingArguments

from hpvqa.finetune.checkpoints import CHECKPOINTS
from hpvqa.finetune.settings import TrainingSettings

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
    """How many steps a training takes: all epochs, or more or fewer if the recipe says so."""
    batches = math.ceil(rows / (settings.batch_size * devices))
    steps = math.ceil(math.ceil(batches / settings.accumulation) * settings.epochs)
    steps = max(steps, settings.min_steps or 0)
    return steps if settings.max_steps is None else min(steps, settings.max_steps)


def arguments(settings: TrainingSettings, machine: Machine, rows: int, out: Path) -> TrainingArguments:
    """The arguments of a training.

    Args:
        settings: How.
        machine: Where.
        rows: How many examples there are.
        out: Folder of the adapter.
    """
    steps = total_steps(rows, settings, machine.devices)
    every = max(1, math.ceil(steps / settings.checks))
    checkpointing = not machine.cpu if settings.gradient_checkpointing is None else settings.gradient_checkpointing
    return TrainingArguments(
        output_dir=str(out / CHECKPOINTS),
        per_device_train_batch_size=settings.batch_size,
        per_device_eval_batch_size=settings.batch_size,
        gradient_accumulation_steps=settings.accumulation,
        # Alone: the Trainer would pass over the number of epochs if both were given.
        max_steps=steps,
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
        # Else patience would begin anew with every --resume.
        restore_callback_states_from_checkpoint=True,
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
