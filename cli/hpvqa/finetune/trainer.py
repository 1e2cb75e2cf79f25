"""The training itself: transformers' Trainer, with our examples, checks and files."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from transformers import EarlyStoppingCallback, PrinterCallback, Trainer, TrainerCallback

from hpvqa.errors import HpvqaError, RunError, printable
from hpvqa.finetune.arguments import Machine, arguments
from hpvqa.finetune.batches import FAILED, Packer, Source, Workers
from hpvqa.finetune.checkpoints import DELETE_IT, Course, best_before, course_of, saving
from hpvqa.finetune.course import CORRECT, Report, accuracy
from hpvqa.finetune.decisions import Decisions
from hpvqa.finetune.examples import Collator, Lessons
from hpvqa.finetune.prepared import Measure
from hpvqa.finetune.settings import TrainingSettings
from hpvqa.vlm.adapter import WEIGHTS
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
        RunError: A checkpoint could not be written, and earlier ones are whole; the one to go on from cannot be read;
            there is too little memory; or a process that prepares batches was killed.
        HpvqaError: A clip does not decode, or does not suit the model.
    """
    if resume is not None and (course := course_of(resume)) is not None:
        # The Trainer would take one more step.
        _load(model, best_before(resume) or resume)
        return course
    workers = Workers()
    callbacks: list[Any] = [Report(out / METRICS_FILE, on_step), *trackers]
    if settings.patience is not None:
        callbacks.append(EarlyStoppingCallback(early_stopping_patience=settings.patience))
    resumed = None if resume is None else _Resumed(resume)
    callbacks += [] if resumed is None else [resumed]
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
    with workers.watched(), _in_memory(machine), nullcontext() if resumed is None else resumed.loading():
        trainer.train(resume_from_checkpoint=None if resume is None else str(resume))
    if torch.distributed.is_available() and torch.distributed.is_initialized():
        torch.distributed.destroy_process_group()
    state = trainer.state
    return Course.of(state.global_step, state.epoch, state.log_history)


def _load(model: Any, checkpoint: Path) -> None:
    """Give a model the adapter's weights that a checkpoint holds."""
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    try:
        left_out = set_peft_model_state_dict(model, load_file(checkpoint / WEIGHTS)).unexpected_keys
    except (RuntimeError, SafetensorError) as error:
        left_out = [str(error)]
    if left_out:
        raise _cannot_be_used(checkpoint, left_out[0])


def _cannot_be_used(checkpoint: Path, why: str) -> RunError:
    reason = printable(why.partition("\n")[0])
    return RunError(f"{checkpoint} cannot be gone on from ({reason}); {DELETE_IT}")


class _Resumed(TrainerCallback):  # type: ignore[misc] # transformers is not typed
    """Goes on from a checkpoint.

    Args:
        checkpoint: Its folder.
    """

    def __init__(self, checkpoint: Path) -> None:
        self._checkpoint = checkpoint
        self._began = False

    def on_train_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """Find the best checkpoint so far where it is now; the Trainer looks where it was, and does without it."""
        best = best_before(self._checkpoint)
        state.best_model_checkpoint = None if best is None else str(best)
        # How often something is done says the recipe, not a file.
        for name in ("logging_steps", "eval_steps", "save_steps"):
            setattr(state, name, getattr(args, name))

    def on_step_begin(self, args: Any, state: Any, control: Any, **others: Any) -> None:
        """All of the checkpoint was read."""
        self._began = True

    @contextmanager
    def loading(self) -> Iterator[None]:
        """Surroundings of a training, in which the Trainer's errors of reading the checkpoint get their words."""
        try:
            yield
        except (HpvqaError, OSError, torch.OutOfMemoryError, MemoryError):
            raise
        except Exception as error:
            if self._began:
                raise
            raise _cannot_be_used(self._checkpoint, f"{type(error).__name__}: {error}") from None


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

    def compute_loss(self, *args: Any, return_outputs: bool = False, **named: Any) -> Any:
        found = super().compute_loss(*args, return_outputs=return_outputs, **named)
        # Models return more, such as features of pictures, which the Trainer would keep, or cannot.
        return (found[0], {"logits": found[1]["logits"]}) if return_outputs else found

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
