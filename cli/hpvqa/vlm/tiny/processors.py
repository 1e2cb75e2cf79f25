"""Processors of the tiny checkpoints: those of the real ones, for smaller frames."""

from __future__ import annotations

from typing import Any

from hpvqa.vlm.template import chat_template
from hpvqa.vlm.tiny.kinds import Kind

PATCH = 16
MERGE = 2
POOL = 3
"""How many visual tokens of the pooled model become one."""
HALF = (0.5, 0.5, 0.5)
"""Mean and standard deviation of images and videos alike: vLLM normalises videos with those of images."""
MOST_PIXELS = 64 * 224 * 224
"""Of one video: 64 frames of the size that the real models are given."""

_PLACES: dict[Kind, tuple[str, str]] = {
    "internvl": ("<video>\\n", "<IMG_CONTEXT>\\n"),
    "llava_onevision": ("<video>\\n", "<image>\\n"),
}
"""Where a video and a picture go; of all other kinds as with Qwen."""
_THOUGHTLESS = ("qwen2_5_vl", "llava_onevision")
"""Kinds whose real chat templates know nothing of thoughts."""


def template(kind: Kind) -> str:
    """The chat template. Where the real ones know of thoughts, it opens ``<think>`` unless it is told not to."""
    return chat_template(*_PLACES.get(kind, ()), thinks=kind not in _THOUGHTLESS)


def tokens_per_frame(side: int) -> int:
    """How many tokens InternVL and LLaVA-OneVision make of a square frame."""
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
        side: Width and height of the frames [pixels]. InternVL, LLaVA-OneVision and the pooled model take just these,
            the others multiples of two patches.
        patch: Width and height of a patch [pixels]; those three take their own.
    """
    normal = {"image_mean": list(HALF), "image_std": list(HALF)}
    if kind == "internvl":
        return _internvl(tokenizer, side, normal)
    if kind == "pooled":
        from hpvqa.vlm.pooled.processing import build_processor as build_pooled

        return build_pooled(tokenizer, side, (side // pooled_patch(side)) ** 2 // POOL, list(HALF), list(HALF))
    if kind == "llava_onevision":
        return _llava_onevision(tokenizer, side, normal)
    from transformers import (
        Qwen2_5_VLProcessor,
        Qwen2VLImageProcessor,
        Qwen2VLVideoProcessor,
        Qwen3VLProcessor,
        Qwen3VLVideoProcessor,
    )

    early = kind == "qwen2_5_vl"
    made, videos = (Qwen2_5_VLProcessor, Qwen2VLVideoProcessor) if early else (Qwen3VLProcessor, Qwen3VLVideoProcessor)

    patches = {"patch_size": patch, "temporal_patch_size": 2, "merge_size": MERGE}
    least = (patch * MERGE) ** 2
    return made(
        image_processor=Qwen2VLImageProcessor(
            size={"shortest_edge": least, "longest_edge": 224 * 224}, **patches, **normal
        ),
        tokenizer=tokenizer,
        video_processor=videos(
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


def _llava_onevision(tokenizer: Any, side: int, normal: dict[str, Any]) -> Any:
    from transformers import LlavaOnevisionImageProcessor, LlavaOnevisionProcessor, LlavaOnevisionVideoProcessor

    size = {"height": side, "width": side}
    return LlavaOnevisionProcessor(
        image_processor=LlavaOnevisionImageProcessor(size=size, image_grid_pinpoints=[[side, side]], **normal),
        tokenizer=tokenizer,
        video_processor=LlavaOnevisionVideoProcessor(size=size, **normal),
        num_image_tokens=(side // PATCH) ** 2,
        vision_feature_select_strategy="full",
        chat_template=template("llava_onevision"),
    )
