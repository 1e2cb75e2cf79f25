"""The model: a tiny checkpoint of the pooled class, whose tokenizer knows the words that agents are asked in."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import numpy as np
import torch
from transformers import AddedToken

from hpvqa.errors import UsageError
from hpvqa.vlm.tiny.models import Sizes, build_model, make_trainable
from hpvqa.vlm.tiny.processors import build_processor, pooled_patch
from hpvqa.vlm.tiny.tokenizer import build_tokenizer
from research.choose.words import tokens, vectors
from research.pretrain.settings import ModelSettings


def build(settings: ModelSettings, texts: Iterable[str], seed: int) -> tuple[Any, Any]:
    """A model with random weights that it can learn from, and its processor.

    Args:
        settings: How large it is.
        texts: Texts whose words become tokens.
        seed: Seed of the weights.

    Raises:
        UsageError: Patches of that size do not fit.
    """
    if settings.patch != pooled_patch(settings.side):
        raise UsageError(f"Pictures of {settings.side} pixels need patches of {pooled_patch(settings.side)}")
    torch.manual_seed(seed)
    tokenizer = build_tokenizer("pooled")
    tokenizer.add_tokens([AddedToken(token, normalized=False) for token in tokens(texts)])
    sizes = Sizes(
        side=settings.side,
        vision_width=settings.vision_width,
        vision_heads=settings.vision_heads,
        vision_layers=settings.vision_layers,
        width=settings.width,
        heads=settings.heads,
        layers=settings.layers,
    )
    model = build_model("pooled", tokenizer, sizes)
    make_trainable(model)
    known = tokenizer.get_added_vocab()
    table = model.get_input_embeddings().weight
    with torch.no_grad():
        table[list(known.values())] = torch.from_numpy(vectors(known, settings.width, np.random.default_rng(seed)))
    return model, build_processor("pooled", tokenizer, settings.side)


def normalised(images: Any) -> Any:
    """Pictures as the processor has them.

    Args:
        images: RGB, shape (n, side, side, 3), uint8.

    Returns:
        Shape (n, 3, side, side), from -1 to 1.
    """
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
