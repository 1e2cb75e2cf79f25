"""The loop that both stages share: steps, the learning rate, checkpoints."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch

from hpvqa.errors import RunError
from hpvqa.progress.reporter import Reporter
from research.pretrain.settings import StageSettings

SAVED_EVERY = 100
"""Steps between two checkpoints."""
TOLD_EVERY = 50
"""Steps between two words on the loss."""
_FLOOR = 0.05


@dataclass(frozen=True)
class Stage:
    """A stage, and where it is kept.

    Attributes:
        name: Its name, and that of its file.
        settings: How it is trained.
        seed: Seed of what is drawn.
        file: Its checkpoint.
        identity: What the checkpoint depends on; one of something else is not gone on with.
    """

    name: str
    settings: StageSettings
    seed: int
    file: Path
    identity: str


def train(
    stage: Stage, modules: Mapping[str, Any], loss_of: Callable[[np.random.Generator, int], Any], reporter: Reporter
) -> None:
    """Train modules, from the newest checkpoint if there is one; the same seed gives the same weights.

    Args:
        stage: The stage.
        modules: What is saved, by name; of it, what takes gradients is trained.
        loss_of: Makes a batch out of random numbers, and its loss; is told which step it is for, counted from 1.
        reporter: Told of every step.

    Raises:
        RunError: The disk does not take a checkpoint.
    """
    settings = stage.settings
    parameters = [value for module in modules.values() for value in module.parameters() if value.requires_grad]
    optimizer = torch.optim.AdamW(
        parameters, lr=settings.learning_rate, betas=(0.9, 0.98), weight_decay=settings.weight_decay
    )
    rng = np.random.default_rng(stage.seed)
    done = _load(stage, modules, optimizer, rng)
    if done >= settings.steps:
        return
    reporter.start(stage.name, "steps", settings.steps, done)
    smooth = None
    for step in range(done + 1, settings.steps + 1):
        for group in optimizer.param_groups:
            group["lr"] = settings.learning_rate * rate(step, settings)
        loss = loss_of(rng, step)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(parameters, 1.0)
        optimizer.step()
        optimizer.zero_grad()
        value = float(loss.detach())
        smooth = value if smooth is None else 0.95 * smooth + 0.05 * value
        reporter.item(f"step {step}")
        if step % TOLD_EVERY == 0:
            reporter.note(f"{stage.name}, step {step}: loss {smooth:.4f}")
        if step % SAVED_EVERY == 0 or step == settings.steps:
            _save(stage, modules, optimizer, rng, step)
    reporter.done()


def rate(step: int, settings: StageSettings) -> float:
    """Share of the highest learning rate at a step, counted from 1."""
    fall = _FLOOR + (1 - _FLOOR) * 0.5 * (1 + math.cos(math.pi * min(step / max(settings.steps, 1), 1.0)))
    return min(step / settings.warmup, 1.0) * fall


def _load(stage: Stage, modules: Mapping[str, Any], optimizer: Any, rng: np.random.Generator) -> int:
    """Go back to a checkpoint, and say after how many steps it was written; 0 without any."""
    try:
        saved = torch.load(stage.file, weights_only=True)
    except FileNotFoundError:
        return 0
    except Exception:
        raise RunError(f"The checkpoint {stage.file} is damaged; delete it and start again") from None
    if saved["identity"] != stage.identity:
        return 0
    for name, module in modules.items():
        module.load_state_dict(saved["modules"][name])
    optimizer.load_state_dict(saved["optimizer"])
    rng.bit_generator.state = {
        **rng.bit_generator.state,
        # These numbers are too large for torch's file.
        "state": {name: int(value) for name, value in saved["random"].items()},
        "has_uint32": saved["spare"][0],
        "uinteger": saved["spare"][1],
    }
    return int(saved["step"])


def _save(stage: Stage, modules: Mapping[str, Any], optimizer: Any, rng: np.random.Generator, step: int) -> None:
    """Replace the checkpoint by a newer one, as a whole."""
    state = rng.bit_generator.state
    saved = {
        "identity": stage.identity,
        "step": step,
        "modules": {name: module.state_dict() for name, module in modules.items()},
        "optimizer": optimizer.state_dict(),
        "random": {name: str(value) for name, value in state["state"].items()},
        "spare": (state["has_uint32"], state["uinteger"]),
    }
    partial = stage.file.with_suffix(".partial")
    try:
        stage.file.parent.mkdir(parents=True, exist_ok=True)
        torch.save(saved, partial)
        partial.replace(stage.file)
    except (OSError, RuntimeError) as error:
        partial.unlink(missing_ok=True)
        raise RunError(f"The checkpoint {stage.file} cannot be written ({error}); make room, and start again") from None
