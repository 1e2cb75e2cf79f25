"""Sizes of the pooled model."""

from __future__ import annotations

from typing import Any

from huggingface_hub.dataclasses import strict
from transformers import PreTrainedConfig, Qwen2Config, SiglipVisionConfig

SO400M = {
    "hidden_size": 1152,
    "intermediate_size": 4304,
    "num_hidden_layers": 26,
    "num_attention_heads": 16,
    "image_size": 384,
    "patch_size": 14,
}
"""google/siglip-so400m-patch14-384 without the last of its 27 layers."""
QWEN_3B = {
    "vocab_size": 151936,
    "hidden_size": 2048,
    "intermediate_size": 11008,
    "num_hidden_layers": 36,
    "num_attention_heads": 16,
    "num_key_value_heads": 2,
    "max_position_embeddings": 32768,
    "rope_parameters": {"rope_type": "default", "rope_theta": 1_000_000.0},
    "tie_word_embeddings": True,
}
"""Qwen/Qwen2.5-3B-Instruct."""


@strict
class PooledConfig(PreTrainedConfig):  # type: ignore[misc]
    """Configuration of the pooled model.

    Attributes:
        vision_config: The vision tower, of which the output of the last layer is read; by default that of the paper.
        text_config: The language model; by default that of the paper.
        pool: How many neighbouring visual tokens of a row become one.
        projector_hidden_act: Activation between the two layers of the projector.
        image_token_id: The token that stands for each pooled token of a picture.
        video_token_id: The same for a frame of a video.
        tie_word_embeddings: Whether the last layer is the table of embeddings; as the language model has it.

    Raises:
        ValueError: The rows of visual tokens cannot be pooled so, or a frame is not square.
    """

    model_type = "hpvqa_pooled"
    sub_configs = {"vision_config": SiglipVisionConfig, "text_config": Qwen2Config}  # noqa: RUF012

    vision_config: Any = None
    text_config: Any = None
    pool: int = 3
    projector_hidden_act: str = "gelu"
    image_token_id: int = 151655
    video_token_id: int = 151656
    tie_word_embeddings: bool = False

    def __post_init__(self, **kwargs: Any) -> None:
        """Make the configurations of the parts, if they are given as plain data."""
        if not isinstance(self.vision_config, PreTrainedConfig):
            self.vision_config = SiglipVisionConfig(**{**(self.vision_config or SO400M), "vision_use_head": False})
        if not isinstance(self.text_config, PreTrainedConfig):
            self.text_config = Qwen2Config(**(self.text_config or QWEN_3B))
        self.tie_word_embeddings = self.text_config.tie_word_embeddings
        if not isinstance(self.vision_config.image_size, int) or not isinstance(self.vision_config.patch_size, int):
            raise ValueError("the pooled model takes square pictures of square patches")
        if self.pool < 1 or self.row % self.pool:
            raise ValueError(f"rows of {self.row} visual tokens cannot be pooled by {self.pool}")
        super().__post_init__(**kwargs)

    @property
    def row(self) -> int:
        """How many patches stand side by side in a picture."""
        return int(self.vision_config.image_size // self.vision_config.patch_size)

    @property
    def visual_tokens(self) -> int:
        """How many tokens the vision tower makes of a picture, before pooling."""
        return self.row**2

    @property
    def tokens_per_image(self) -> int:
        """How many tokens of the prompt a picture takes."""
        return self.visual_tokens // self.pool
