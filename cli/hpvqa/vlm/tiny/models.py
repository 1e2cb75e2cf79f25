"""Models of the tiny checkpoints: the real architectures, two layers deep."""

from __future__ import annotations

from typing import Any

from hpvqa.vlm.tiny.kinds import Kind
from hpvqa.vlm.tiny.processors import MERGE, PATCH, tokens_per_frame

WIDTH = 64
HEADS = 2
HEAD = WIDTH // HEADS
LAYERS = 2
LONGEST = 16384
"""Longest prompt [tokens]: seven clips of 224×224 fit."""
LINEAR_HEAD = 128
"""Width of a head of linear attention: vLLM's CPU kernels take no other."""


def build_model(kind: Kind, tokenizer: Any, side: int) -> Any:
    """A model with random weights, from torch's global generator.

    Args:
        kind: Its architecture.
        tokenizer: Its tokenizer.
        side: Width and height of its frames [pixels].
    """
    from transformers import (
        GenerationConfig,
        InternVLForConditionalGeneration,
        Qwen3_5ForConditionalGeneration,
        Qwen3VLForConditionalGeneration,
    )

    if kind == "qwen3_vl":
        model = Qwen3VLForConditionalGeneration(_qwen3_vl(tokenizer, side))
    elif kind == "qwen3_5":
        model = Qwen3_5ForConditionalGeneration(_qwen3_5(tokenizer, side))
    else:
        model = InternVLForConditionalGeneration(_internvl(tokenizer, side))
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
        if "pos_embed" in name or "position_embeddings" in name:
            nn.init.normal_(parameter, std=0.7)
        elif "embed_tokens" in name:
            nn.init.normal_(parameter, std=0.5)


def _text(tokenizer: Any) -> dict[str, Any]:
    return {
        "vocab_size": -(-len(tokenizer) // 64) * 64,
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_hidden_layers": LAYERS,
        "num_attention_heads": HEADS,
        "num_key_value_heads": HEADS,
        "head_dim": HEAD,
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


def _qwen_vision(side: int) -> dict[str, Any]:
    return {
        "depth": LAYERS,
        "hidden_size": WIDTH,
        "intermediate_size": 2 * WIDTH,
        "num_heads": HEADS,
        "patch_size": PATCH,
        "spatial_merge_size": MERGE,
        "temporal_patch_size": 2,
        "out_hidden_size": WIDTH,
        "num_position_embeddings": (side // PATCH) ** 2,
    }


def _qwen_tokens(tokenizer: Any) -> dict[str, int]:
    names = {
        "image_token_id": "<|image_pad|>",
        "video_token_id": "<|video_pad|>",
        "vision_start_token_id": "<|vision_start|>",
        "vision_end_token_id": "<|vision_end|>",
    }
    return {name: tokenizer.convert_tokens_to_ids(token) for name, token in names.items()}


def _qwen3_vl(tokenizer: Any, side: int) -> Any:
    from transformers import Qwen3VLConfig

    return Qwen3VLConfig(
        text_config={**_text(tokenizer), "rope_parameters": _rope(5_000_000, HEAD // 2)},
        vision_config={**_qwen_vision(side), "deepstack_visual_indexes": [0]},
        tie_word_embeddings=False,
        **_qwen_tokens(tokenizer),
    )


def _qwen3_5(tokenizer: Any, side: int) -> Any:
    from transformers import Qwen3_5Config

    rotated = 0.25
    text = {
        **_text(tokenizer),
        "rope_parameters": {**_rope(10_000_000, int(HEAD * rotated) // 2), "partial_rotary_factor": rotated},
        "layer_types": ["linear_attention"] * (LAYERS - 1) + ["full_attention"],
        "linear_key_head_dim": LINEAR_HEAD,
        "linear_value_head_dim": LINEAR_HEAD,
        "linear_num_key_heads": HEADS,
        "linear_num_value_heads": HEADS,
    }
    return Qwen3_5Config(
        text_config=text, vision_config=_qwen_vision(side), tie_word_embeddings=False, **_qwen_tokens(tokenizer)
    )


def _internvl(tokenizer: Any, side: int) -> Any:
    from transformers import InternVLConfig

    rope = {"rope_type": "default", "rope_theta": 1_000_000}
    return InternVLConfig(
        text_config={**_text(tokenizer), "model_type": "qwen3", "rope_parameters": rope},
        vision_config={
            "hidden_size": WIDTH,
            "num_hidden_layers": LAYERS,
            "num_attention_heads": HEADS,
            "intermediate_size": 2 * WIDTH,
            "image_size": (side, side),
            "patch_size": (PATCH, PATCH),
            "attention_bias": True,
        },
        image_token_id=tokenizer.convert_tokens_to_ids("<IMG_CONTEXT>"),
        image_seq_length=tokens_per_frame(side),
        downsample_ratio=1 / MERGE,
        tie_word_embeddings=False,
    )
