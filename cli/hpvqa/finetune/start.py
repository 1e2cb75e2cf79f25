"""The adapter that a training goes on from."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from hpvqa.errors import UsageError
from hpvqa.finetune.settings import LoraSettings
from hpvqa.vlm.adapter import WEIGHTS, Adapter, names_in

_PLAIN = (
    "use_rslora",
    "use_dora",
    "lora_bias",
    "modules_to_save",
    "rank_pattern",
    "alpha_pattern",
    "layer_replication",
)
"""What adapters of other tools may have, and ours never do."""


def joined(start: Adapter, pattern: str | list[str], settings: LoraSettings) -> str | list[str]:
    """Which layers an adapter has that goes on from another one: those of both.

    Args:
        start: The other one.
        pattern: Which layers are trained, as PEFT is given it.
        settings: Shape of the new adapter.

    Raises:
        UsageError: It cannot go on from that one, which has another shape.
    """
    config = start.config
    other = next((name for name in _PLAIN if config.get(name)), None)
    if other is not None:
        raise UsageError(f"The adapter {start.folder} has {other}, with which no training here goes on")
    rank, alpha = config.get("r"), config.get("lora_alpha")
    if (rank, alpha) != (settings.rank, settings.alpha):
        raise UsageError(
            f"The adapter {start.folder} has rank {rank} and alpha {alpha}, and this training has rank {settings.rank} "
            f"and alpha {settings.alpha}; add --set lora.rank={rank} --set lora.alpha={alpha}"
        )
    before: Any = config.get("target_modules")
    return pattern if before == pattern else f"(?:{_expression(before)})|(?:{_expression(pattern)})"


def layers_of(start: Adapter, model: Any) -> list[str]:
    """Full names, in a model, of the layers that an adapter has.

    Raises:
        UsageError: The model lacks one.
    """
    names = names_in(start, [name for name, _ in model.named_modules()]).values()
    return list(dict.fromkeys(name.removeprefix("base_model.model.").partition(".lora_")[0] for name in names))


def train_only(adapted: Any, layers: Sequence[str]) -> None:
    """Leave all other layers of an adapter as they are."""
    for name, parameter in adapted.named_parameters():
        layer = name.removeprefix("base_model.model.").partition(".lora_")[0]
        parameter.requires_grad = parameter.requires_grad and layer in layers


def begin_with(adapted: Any, start: Adapter) -> None:
    """Give an adapter the weights of the one that it goes on from; layers that only it has stay new.

    Args:
        adapted: The model with the adapter on it.
        start: The adapter that it goes on from.

    Raises:
        UsageError: They do not fit.
    """
    from peft import set_peft_model_state_dict
    from safetensors.torch import load_file

    names = names_in(start, [name.removeprefix("base_model.model.") for name, _ in adapted.named_modules()])
    tensors = {names[name]: tensor for name, tensor in load_file(start.folder / WEIGHTS).items()}
    left_out = set_peft_model_state_dict(adapted, tensors).unexpected_keys
    if left_out:
        raise UsageError(f"The adapter {start.folder} does not fit: its {left_out[0]} is not in the model")


def _expression(targets: str | Sequence[str]) -> str:
    """Targets as one regular expression for full names."""
    return targets if isinstance(targets, str) else rf"(?:.*\.)?(?:{'|'.join(map(re.escape, targets))})"
