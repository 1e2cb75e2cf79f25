"""Building a tiny checkpoint."""

from __future__ import annotations

from pathlib import Path

from hpvqa.errors import MissingDependencyError, UsageError
from hpvqa.install import pip_install
from hpvqa.vlm.saving import check_new
from hpvqa.vlm.tiny.kinds import Kind, Words
from hpvqa.vlm.tiny.save import save_checkpoint


def build_tiny(
    kind: Kind, out: Path, *, seed: int = 0, side: int = 64, trainable: bool = False, words: Words = "whole"
) -> int:
    """Write a randomly initialised checkpoint with tokenizer, processor and chat template.

    The folder appears whole or not at all.

    Args:
        kind: Its architecture.
        out: The folder, which must not exist or be empty.
        seed: Seed of the weights; the same seed gives the same weights.
        side: Width and height of the frames that it is made for [pixels], a multiple of 32. InternVL and the pooled
            model take only these.
        trainable: Draw weights with which it learns from scratch.
        words: How the tokenizer treats left and right.

    Returns:
        How many parameters it has.

    Raises:
        UsageError: The folder holds something, the size is no multiple of 32, or the tokenizer cannot do that.
        MissingDependencyError: torch and transformers are not installed.
        RunError: The disk does not take it.
    """
    check_new(out)
    try:
        import torch

        from hpvqa.vlm.tiny.models import Sizes, build_model, make_trainable
        from hpvqa.vlm.tiny.processors import build_processor
        from hpvqa.vlm.tiny.tokenizer import build_tokenizer

    except ImportError as error:
        raise MissingDependencyError(f"Models need {error.name}; run: {pip_install('vlm')}") from None
    if side <= 0 or side % 32:
        raise UsageError(f"Frames must be a multiple of 32 pixels wide and high, not {side}")
    if words == "collide" and kind == "qwen3_5":
        raise UsageError("Words cannot collide in the tokenizer of qwen3_5; take another kind")
    # Drawn apart, so that neither what was drawn before nor what will be drawn is touched.
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        tokenizer = build_tokenizer(kind, words)
        sizes = Sizes(side, vision_layers=4, layers=3) if kind == "pooled" else Sizes(side)
        model = build_model(kind, tokenizer, sizes)
        if trainable:
            make_trainable(model)
    save_checkpoint(model, build_processor(kind, tokenizer, side), out)
    return sum(parameter.numel() for parameter in model.parameters())
