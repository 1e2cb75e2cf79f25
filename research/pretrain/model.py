"""The model: a checkpoint of the Qwen3-VL architecture, with the tokenizer and processor of the tiny checkpoints."""

from __future__ import annotations

from typing import Any

from hpvqa.errors import MissingDependencyError
from hpvqa.install import pip_install
from hpvqa.vlm.families import Family, get_family
from research.pretrain.settings import ModelSettings

FAMILY = "qwen3-vl"


def family_of(settings: ModelSettings) -> Family:
    """The model's family, as :func:`hpvqa.vlm.families.find_family` has it for the finished folder."""
    fitted = {"resolution": (settings.side, settings.side), "pixel_multiple": settings.cell}
    return get_family(FAMILY).model_copy(update=fitted)


def build(settings: ModelSettings, seed: int) -> tuple[Any, Any]:
    """A model with random weights that it can learn from, and its processor.

    Args:
        settings: How large it is.
        seed: Seed of the weights.

    Raises:
        MissingDependencyError: torch and transformers are not installed.
    """
    try:
        import torch

        from hpvqa.vlm.tiny.models import Sizes, build_model, make_trainable
        from hpvqa.vlm.tiny.processors import build_processor
        from hpvqa.vlm.tiny.tokenizer import build_tokenizer
    except ImportError as error:
        raise MissingDependencyError(f"Pre-training needs {error.name}; run: {pip_install('vlm')}") from None
    torch.manual_seed(seed)
    tokenizer = build_tokenizer("qwen3_vl")
    model = build_model("qwen3_vl", tokenizer, Sizes(**settings.model_dump(), fixed=True))
    make_trainable(model)
    return model, build_processor("qwen3_vl", tokenizer, settings.side, settings.patch)
