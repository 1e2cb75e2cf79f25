"""From pictures, videos and texts to the tensors that the pooled model takes."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from transformers import LlavaOnevisionVideoProcessor, ProcessorMixin, SiglipImageProcessor
from transformers.processing_utils import ProcessingKwargs
from transformers.video_utils import make_batched_videos

from hpvqa.vlm.template import chat_template

TOKENS = {
    "image_token": "<|image_pad|>",
    "video_token": "<|video_pad|>",
    "vision_bos_token": "<|vision_start|>",
    "vision_eos_token": "<|vision_end|>",
}
"""Tokens around what is seen, and those that it takes the place of: every tokenizer of Qwen2.5 has them."""


class _Defaults(ProcessingKwargs, total=False):  # type: ignore[misc, call-arg]
    _defaults = {"text_kwargs": {"padding": False, "return_mm_token_type_ids": False}}  # noqa: RUF012


class PooledProcessor(ProcessorMixin):  # type: ignore[misc]
    """Pictures, videos and texts. A video is its frames, one after the other, each like a picture.

    Args:
        image_processor: Of pictures.
        tokenizer: Of texts.
        video_processor: Of frames; it must do as the other does.
        image_seq_length: How many tokens a picture or a frame takes.
        chat_template: The chat template.
    """

    valid_processor_kwargs = _Defaults

    def __init__(
        self,
        image_processor: Any = None,
        tokenizer: Any = None,
        video_processor: Any = None,
        image_seq_length: int = 243,
        chat_template: str | None = None,
    ) -> None:
        self.image_seq_length = image_seq_length
        self.image_token, self.video_token = TOKENS["image_token"], TOKENS["video_token"]
        self.image_token_id, self.video_token_id = tokenizer.convert_tokens_to_ids([self.image_token, self.video_token])
        super().__init__(image_processor, tokenizer, video_processor, chat_template=chat_template)

    def _process_videos(self, videos: Any, **kwargs: Any) -> tuple[dict[str, Any], list[str]]:
        import torch

        # One by one, for they need not have equally many frames.
        metadata = kwargs.pop("video_metadata", None)
        seen = [
            self.video_processor(
                [video], **kwargs, **({} if metadata is None else {"video_metadata": [metadata[number]]})
            )
            for number, video in enumerate(make_batched_videos(videos))
        ]
        frames = [torch.as_tensor(one["pixel_values_videos"][0]) for one in seen]
        texts = [self.video_token * (self.image_seq_length * len(video)) for video in frames]
        return {"pixel_values_videos": torch.cat(frames)}, texts

    def replace_image_token(self, image_inputs: Mapping[str, Any], image_idx: int, **kwargs: Any) -> str:
        """What stands in a prompt for a picture."""
        return str(self.image_token * self.image_seq_length)


def build_processor(tokenizer: Any, side: int, tokens: int, mean: list[float], std: list[float]) -> PooledProcessor:
    """A processor with Qwen2.5's prompt, and places for pictures and videos, which Qwen2.5's own has none of.

    Args:
        tokenizer: Its tokenizer.
        side: Width and height of pictures and frames [pixels].
        tokens: How many tokens each takes.
        mean: What is subtracted from red, green and blue, of 0 to 1.
        std: What the rest is divided by.
    """
    options = {"size": {"height": side, "width": side}, "image_mean": mean, "image_std": std}
    return PooledProcessor(
        image_processor=SiglipImageProcessor(**options),
        tokenizer=tokenizer,
        video_processor=LlavaOnevisionVideoProcessor(**options),
        image_seq_length=tokens,
        chat_template=chat_template(thinks=False),
    )
