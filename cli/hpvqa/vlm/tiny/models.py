"""Models of the tiny checkpoints: the real architectures, a few layers deep."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from hpvqa.vlm.tiny.kinds import Kind
from hpvqa.vlm.tiny.processors import MERGE, PATCH, POOL, pooled_patch, tokens_per_frame

LONGEST = 16384
"""Longest prompt [tokens]: seven clips of 224×224 fit."""
LINEAR_HEAD = 128
"""Width of a head of linear attention: vLLM's CPU kernels take no other."""


@dataclass(frozen=True)
class Sizes:
    """How large a model is.

    Attributes:
        side: Width and height of its frames [pixels].
        patch: Width and height of what becomes one vector in the vision tower [pixels].
        vision_width: Width of the vision tower.
        vision_heads: Attention heads there.
        vision_layers: Layers there.
        width: Width of the language model.
        heads: Attention heads there.
        layers: Layers there.
        theta: Base of the rotary embedding of Qwen3-VL.
        fixed: Whether its configuration says that it was made for frames of this size, in a way that
            :func:`hpvqa.vlm.families.find_family` understands.
    """

    side: int
    patch: int = PATCH
    vision_width: int = 64
    vision_heads: int = 2
    vision_layers: int = 2
    width: int = 64
    heads: int = 2
    layers: int = 2
    theta: int = 5_000_000
    fixed: bool = False

    @property
    def head(self) -> int:
        """Width of a head of the language model."""
        return self.width // self.heads


def build_model(kind: Kind, tokenizer: Any, sizes: Sizes) -> Any:
    """A model with random weights, from torch's global generator.

    Args:
        kind: Its architecture.
        tokenizer: Its tokenizer.
        sizes: How large it is.
    """
    from transformers import (
        GenerationConfig,
        InternVLForConditionalGeneration,
        Qwen3_5ForConditionalGeneration,
        Qwen3VLForConditionalGeneration,
    )

    if kind == "qwen3_vl":
        model = Qwen3VLForConditionalGeneration(_qwen3_vl(tokenizer, sizes))
    elif kind == "qwen3_5":
        model = Qwen3_5ForConditionalGeneration(_qwen3_5(tokenizer, sizes))
    elif kind == "pooled":
        from hpvqa.vlm.pooled.modeling import PooledForConditionalGeneration

        model = PooledForConditionalGeneration(_pooled(tokenizer, sizes))
    else:
        model = InternVLForConditionalGeneration(_internvl(tokenizer, sizes))
    model.generation_config = GenerationConfig(eos_token_id=tokenizer.eos_token_id, pad_token_id=tokenizer.pad_token_id)
    return model


def make_trainable(model: Any) -> None:
    """Draw weights with which so small a model learns from scratch.

    At the architectures' own, much smaller weights, training stayed at chance in our trials.
    """
    from torch import nn

    for module in model.modules():
        if isinstance(module, nn.Linear):
            nn.init.xavier_uniform_(module.weight)
    for name, parameter in model.named_parameters():
        if "pos_embed" in name or "position_embedding" in name:
            nn.init.normal_(parameter, std=0.7)
        elif "embed_tokens" in name:
            nn.init.normal_(parameter, std=0.5)


def _text(tokenizer: Any, sizes: Sizes) -> dict[str, Any]:
    return {
        "vocab_size": -(-len(tokenizer) // 64) * 64,
        "hidden_size": sizes.width,
        "intermediate_size": 2 * sizes.width,
        "num_hidden_layers": sizes.layers,
        "num_attention_heads": sizes.heads,
        "num_key_value_heads": sizes.heads,
        "head_dim": sizes.head,
        "max_position_embeddings": LONGEST,
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "bos_token_id": None,
    }


def _rope(theta: int, pairs: int) -> dict[str, Any]:
    """Rotary embedding in time, height and width, of so many pairs of dimensions."""
    third = pairs // 3
    section = [pairs - 2 * third, third, third]
    return {"rope_type": "default", "rope_theta": theta, "mrope_interleaved": True, "mrope_section": section}


def _qwen_vision(sizes: Sizes) -> dict[str, Any]:
    return {
        "depth": sizes.vision_layers,
        "hidden_size": sizes.vision_width,
        "intermediate_size": 2 * sizes.vision_width,
        "num_heads": sizes.vision_heads,
        "patch_size": sizes.patch,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "out_hidden_size": sizes.width,
        "num_position_embeddings": (sizes.side // sizes.patch) ** 2,
        **({"image_size": sizes.side} if sizes.fixed else {}),
    }


def _qwen_tokens(tokenizer: Any) -> dict[str, int]:
    names = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {name: tokenizer.convert_tokens_to_ids(token) for name, token in names.items()}


def _qwen3_vl(tokenizer: Any, sizes: Sizes) -> Any:
    from transformers import Qwen3VLConfig

    return Qwen3VLConfig(
        text_config={**_text(tokenizer, sizes), "rope_parameters": _rope(sizes.theta, sizes.head // 2)},
        vision_config={**_qwen_vision(sizes), "deepstack_visual_indexes": [0]},
        tie_word_embeddings=False,
        **_qwen_tokens(tokenizer),
    )


def _qwen3_5(tokenizer: Any, sizes: Sizes) -> Any:
    from transformers import Qwen3_5Config

    rotated = 0.25
    text = {
        **_text(tokenizer, sizes),
        "rope_parameters": {**_rope(10_000_000, int(sizes.head * rotated) // 2), "partial_rotary_factor": rotated},
        "layer_types": ["linear_attention"] * (sizes.layers - 1) + ["full_attention"],
        "linear_key_head_dim": LINEAR_HEAD,
        "linear_value_head_dim": LINEAR_HEAD,
        "linear_num_key_heads": sizes.heads,
        "linear_num_value_heads": sizes.heads,
    }
    return Qwen3_5Config(
        text_config=text, vision_config=_qwen_vision(sizes), tie_word_embeddings=False, **_qwen_tokens(tokenizer)
    )


def _internvl(tokenizer: Any, sizes: Sizes) -> Any:
    from transformers import InternVLConfig

    rope = {"rope_type": "default", "rope_theta": 1_000_000}
    return InternVLConfig(
        text_config={**_text(tokenizer, sizes), "model_type": "qwen3", "rope_parameters": rope},
        vision_config={
            "hidden_size": sizes.vision_width,
            "num_hidden_layers": sizes.vision_layers,
            "num_attention_heads": sizes.vision_heads,
            "intermediate_size": 2 * sizes.vision_width,
            "image_size": (sizes.side, sizes.side),
            "patch_size": (PATCH, PATCH),
            "attention_bias": True,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=tokens_per_frame(sizes.side),
        downsample_ratio=1 / MERGE,
        tie_word_embeddings=False,
    )


def _pooled(tokenizer: Any, sizes: Sizes) -> Any:
    from hpvqa.vlm.pooled.configuration import PooledConfig

    return PooledConfig(
        # Within a layer, four times as wide, much as in the real one.
        text_config={**_text(tokenizer, sizes), "intermediate_size": 4 * sizes.width},
        vision_config={
            "hidden_size": sizes.vision_width,
            "num_hidden_layers": sizes.vision_layers,
            "num_attention_heads": sizes.vision_heads,
            "intermediate_size": 4 * sizes.vision_width,
            "image_size": sizes.side,
            "patch_size": pooled_patch(sizes.side),
        },
        pool=POOL,
        image_token_id=tokenizer.convert_tokens_to_ids("<|image_pad|>"),
        video_token_id=tokenizer.convert_tokens_to_ids("<|video_pad|>"),
    )
