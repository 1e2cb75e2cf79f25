"""Processors of the tiny checkpoints: those of the real ones, for smaller frames."""

from __future__ import annotations

from typing import Any

from hpvqa.vlm.tiny.kinds import Kind

PATCH = 16
MERGE = 2
POOL = 3
"""How many visual tokens of the pooled model become one."""
HALF = (0.5, 0.5, 0.5)
"""Mean and standard deviation of images and videos alike: vLLM normalises videos with those of images."""
MOST_PIXELS = 64 * 224 * 224
"""Of one video: 64 frames of the size that the real models are given."""

_TEMPLATE = """\
{%- for message in messages -%}
{{- '<|im_start|>' + message['role'] + '\\n' -}}
{%- if message['content'] is string -%}
{{- message['content'] -}}
{%- else -%}
{%- for part in message['content'] -%}
{%- if part['type'] == 'video' -%}{{- 'VIDEO' -}}
{%- elif part['type'] == 'image' -%}{{- 'IMAGE' -}}
{%- else -%}{{- part['text'] -}}
{%- endif -%}
{%- endfor -%}
{%- endif -%}
{{- '<|im_end|>\\n' -}}
{%- endfor -%}
{%- if add_generation_prompt -%}
{{- '<|im_start|>assistant\\n' -}}
{%- if enable_thinking is defined and enable_thinking is false -%}
{{- '<think>\\n\\n</think>\\n\\n' -}}
{%- else -%}
{{- '<think>\\n' -}}
{%- endif -%}
{%- endif -%}
"""


def template(kind: Kind) -> str:
    """The chat template. Like Qwen3.5's, it opens ``<think>`` unless it is told not to."""
    if kind == "internvl":
        return _TEMPLATE.replace("VIDEO", "<video>\\n").replace("IMAGE", "<IMG_CONTEXT>\\n")
    return _TEMPLATE.replace("VIDEO", "<|vision_start|><|video_pad|><|vision_end|>").replace(
        "IMAGE", "<|vision_start|><|image_pad|><|vision_end|>"
    )


def tokens_per_frame(side: int) -> int:
    """How many tokens InternVL makes of a square frame."""
    return (side // PATCH // MERGE) ** 2


def pooled_patch(side: int) -> int:
    """Width and height of a patch of the pooled model [pixels]: rows of patches must be multiples of three."""
    fitting = [patch for patch in range(1, PATCH + 1) if side // patch % POOL == 0]
    return max(fitting, default=side // POOL)


def build_processor(kind: Kind, tokenizer: Any, side: int, patch: int = PATCH) -> Any:
    """A processor.

    Args:
        kind: The checkpoint that it is for.
        tokenizer: Its tokenizer.
        side: Width and height of the frames [pixels]. InternVL and the pooled model take just these, the others
            multiples of two patches.
        patch: Width and height of a patch [pixels]; InternVL and the pooled model take their own.
    """
    normal = {"image_mean": list(HALF), "image_std": list(HALF)}
    if kind == "internvl":
        return _internvl(tokenizer, side, normal)
    if kind == "pooled":
        from hpvqa.vlm.pooled.processing import build_processor as build_pooled

        return build_pooled(tokenizer, side, (side // pooled_patch(side)) ** 2 // POOL, list(HALF), list(HALF))
    from transformers import Qwen2VLImageProcessor, Qwen3VLProcessor, Qwen3VLVideoProcessor

    patches = {"patch_size": patch, "temporal_patch_size": 2, "merge_size": MERGE}
    least = (patch * MERGE) ** 2
    return Qwen3VLProcessor(
        image_processor=Qwen2VLImageProcessor(
            size={"shortest_edge": least, "longest_edge": 224 * 224}, **patches, **normal
        ),
        tokenizer=tokenizer,
        video_processor=Qwen3VLVideoProcessor(
            size={"shortest_edge": 2 * least, "longest_edge": MOST_PIXELS},
            cap_pixels_per_frame=False,
            **patches,
            **normal,
        ),
        chat_template=template(kind),
    )


def _internvl(tokenizer: Any, side: int, normal: dict[str, Any]) -> Any:
    from transformers import GotOcr2ImageProcessor, InternVLProcessor, InternVLVideoProcessor

    size = {"height": side, "width": side}
    return InternVLProcessor(
        image_processor=GotOcr2ImageProcessor(size=size, crop_to_patches=False, **normal),
        tokenizer=tokenizer,
        video_processor=InternVLVideoProcessor(size=size, num_frames=8, do_sample_frames=True, **normal),
        image_seq_length=tokens_per_frame(side),
        chat_template=template("internvl"),
    )
