"""Which tiny checkpoints there are."""

from __future__ import annotations

from typing import Literal, get_args

Kind = Literal["qwen3_5", "qwen3_vl", "internvl", "pooled"]
"""qwen3_vl is the architecture of Cosmos-Reason2, too."""
KINDS: tuple[Kind, ...] = get_args(Kind)

Words = Literal["whole", "split", "collide"]
"""How the tokenizer treats left and right. whole: one token each; split: several, the first ones different; collide:
two, the first one the same (not for qwen3_5, whose tokenizer class lets no word be marked)."""

_COMMON = ("<|endoftext|>", "<|im_start|>", "<|im_end|>")
_QWEN = (*_COMMON, "<|vision_start|>", "<|vision_end|>", "<|vision_pad|>", "<|image_pad|>", "<|video_pad|>")
SPECIALS: dict[Kind, tuple[str, ...]] = {
    "qwen3_5": _QWEN,
    "qwen3_vl": _QWEN,
    "internvl": (*_COMMON, "<img>", "</img>", "<IMG_CONTEXT>", "<video>"),
    "pooled": _QWEN,
}
"""Special tokens, named as in the real tokenizers."""
