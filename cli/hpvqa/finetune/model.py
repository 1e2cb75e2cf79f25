"""A model with a new LoRA adapter on it."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

from hpvqa.errors import UsageError
from hpvqa.finetune.settings import LoraSettings, Part
from hpvqa.finetune.start import joined, layers_of, train_only
from hpvqa.vlm.adapter import Adapter
from hpvqa.vlm.families import Family


@dataclass(frozen=True)
class Targets:
    """Which layers LoRA trains.

    Attributes:
        pattern: What PEFT is given: a regular expression for full names, or a list of last names.
        layers: The full names that match in the model.
        unmatched: Names of the list that match nothing.
    """

    pattern: str | list[str]
    layers: tuple[str, ...]
    unmatched: tuple[str, ...]


def choose_targets(model: Any, family: Family, settings: LoraSettings) -> Targets:
    """The layers of a model that a recipe trains.

    Raises:
        UsageError: None matches.
    """
    import torch

    pattern = settings.targets or _of_part(family, settings.part)
    if settings.extra_targets:
        if family.extra_lora_targets is None:
            raise UsageError(f"{family.title} has no extra layers to train; leave out extra_targets")
        if not isinstance(pattern, str):
            raise UsageError("extra_targets goes with the family's own targets; leave out targets")
        pattern = f"(?:{pattern})|(?:{family.extra_lora_targets})"
    names = [name for name, module in model.named_modules() if isinstance(module, torch.nn.Linear)]
    if isinstance(pattern, str):
        layers = tuple(name for name in names if re.fullmatch(pattern, name))
        unmatched: tuple[str, ...] = ()
    else:
        layers = tuple(name for name in names if name.rpartition(".")[2] in pattern)
        last = {name.rpartition(".")[2] for name in layers}
        unmatched = tuple(name for name in pattern if name not in last)
    if not layers:
        some = ", ".join(sorted({name.rpartition(".")[2] for name in names})[:12])
        raise UsageError(f"The LoRA targets {pattern!r} match no layer of the model; its layers end in {some}")
    return Targets(pattern if isinstance(pattern, str) else list(pattern), layers, unmatched)


def with_lora(
    model: Any,
    family: Family,
    settings: LoraSettings,
    seed: int,
    tell: Callable[[str], None],
    start: Adapter | None = None,
) -> tuple[Any, Targets]:
    """Put a new adapter on a model; only the adapter is trained.

    Args:
        model: The model.
        family: Its family.
        settings: Shape of the adapter.
        seed: Seed of its weights.
        tell: Takes warnings: targets that match nothing, layers that vLLM would not serve.
        start: The adapter that is gone on from, whose layers the new one has besides; its weights are not read here.

    Raises:
        UsageError: No layer matches, or the new adapter cannot go on from that one.
    """
    import torch
    from peft import LoraConfig, get_peft_model

    targets = choose_targets(model, family, settings)
    if targets.unmatched:
        tell(f"LoRA targets that match no layer: {', '.join(targets.unmatched)}")
    outside = unserved(family, dict.fromkeys([*targets.layers, *(layers_of(start, model) if start else ())]))
    if outside:
        verb = "trains" if start is None else "has"
        tell(
            f"LoRA also {verb} {len(outside)} layers outside the language model, such as {outside[0]}, which vLLM does "
            "not serve as an adapter: merge the adapter before serving it (hpvqa merge)"
        )
    torch.manual_seed(seed)
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=targets.pattern if start is None else joined(start, targets.pattern, settings),
        task_type="CAUSAL_LM",
        bias="none",
    )
    try:
        adapted = get_peft_model(model, config)
    except ValueError:
        raise UsageError(
            f"The LoRA targets {targets.pattern!r} match more than single layers; name layers in full"
        ) from None
    if start is not None:
        train_only(adapted, targets.layers)
    return adapted, targets


def unserved(family: Family, layers: Iterable[str]) -> list[str]:
    """The layers whose LoRA weights vLLM would silently ignore."""
    return [layer for layer in layers if not family.serves(f"base_model.model.{layer}.lora_A.weight")]


def _of_part(family: Family, part: Part) -> str:
    if part == "language":
        return family.lora_targets
    if family.projector_targets is None:
        raise UsageError(f"Which layers bring pictures into {family.title} is not known; name them in lora.targets")
    return (
        family.projector_targets if part == "projector" else f"(?:{family.lora_targets})|(?:{family.projector_targets})"
    )
