"""The model: a tiny checkpoint of the pooled class, whose tokenizer knows the words that agents are asked in."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable
from typing import Any

import torch
from transformers import AddedToken

from hpvqa.errors import UsageError
from hpvqa.explore.agents.words import LETTER_ALONE, SYSTEM
from hpvqa.vlm.tiny.models import Sizes, build_model, make_trainable
from hpvqa.vlm.tiny.processors import build_processor, pooled_patch
from hpvqa.vlm.tiny.tokenizer import build_tokenizer
from research.pretrain.settings import ModelSettings

_PHRASES = (
    SYSTEM,
    f"\n{LETTER_ALONE}",
    ", one at most at each such place, and nowhere else; ",
    "things are cubes, spheres and cylinders, plain or chequered; boards, covers and panels do not count. "
    "Left and right are the robot's, which faces the viewer at the start, and mean where a thing is at first.",
    "; the viewer stands at",
    " and put it aside",
    "Pick up the",
    "Decisions left, the answer included: ",
    ", on the robot's",
)
"""What is always said so: one token each, so that prompts are short."""
_WORD = re.compile(r" ?[A-Za-z]+")
_OFTEN = 3


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
    counts = Counter(word for text in texts for word in _WORD.findall(text))
    # Letters of options stay as they are.
    words = sorted(word for word, count in counts.items() if count >= _OFTEN and len(word.strip()) > 1)
    tokenizer.add_tokens([AddedToken(word, normalized=False) for word in (*_PHRASES, *words)])
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
    return model, build_processor("pooled", tokenizer, settings.side)


def normalised(images: Any) -> Any:
    """Pictures as the processor has them.

    Args:
        images: RGB, shape (n, side, side, 3), uint8.

    Returns:
        Shape (n, 3, side, side), from -1 to 1.
    """
    return torch.from_numpy(images).permute(0, 3, 1, 2).float() / 127.5 - 1
