"""LoRA adapters for tests: random, and with an effect."""

from __future__ import annotations

from pathlib import Path

from hpvqa.vlm.families import find_family
from tests.tiny_models import load_model


def make_adapter(model: Path, out: Path, *, targets: str | list[str] | None = None, seed: int = 0) -> Path:
    """A random adapter that does change its model; by default on all layers that its family names."""
    import torch
    from peft import LoraConfig, get_peft_model

    family = find_family(str(model))
    named = (family.lora_targets, family.extra_lora_targets)
    wanted = "|".join(f"({pattern})" for pattern in named if pattern) if targets is None else targets
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        config = LoraConfig(r=4, lora_alpha=8, target_modules=wanted, init_lora_weights=False)
        get_peft_model(load_model(model), config).save_pretrained(out)
    return out
