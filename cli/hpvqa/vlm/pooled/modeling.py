"""The pooled model: SigLIP, max pooling of visual tokens, a two-layer MLP, Qwen2.5.

Known: the paper says "max pooling layer after the visual encoder's output", with a third of the tokens left. The
published code of its predecessor pools before the projector, over the tokens row by row, 729 to 243: three neighbours
side by side become one, none of another row. It reads SigLIP before its last layer and without the final normalisation.
Our reading: that the model of the paper kept all this, and the tokens of Qwen2.5 around a picture.
"""

from __future__ import annotations

from typing import Any

from torch import Tensor, nn
from transformers import AutoModel, GenerationMixin, PreTrainedModel
from transformers.activations import ACT2FN
from transformers.modeling_outputs import BaseModelOutputWithPast, CausalLMOutputWithPast

from hpvqa.vlm.pooled.configuration import PooledConfig


def max_pool(features: Tensor, by: int) -> Tensor:
    """The largest value of each feature among neighbouring tokens.

    Args:
        features: Shape (pictures, tokens, width); tokens go row by row.
        by: How many tokens become one.

    Returns:
        Shape (pictures, tokens / by, width).
    """
    return nn.functional.max_pool1d(features.transpose(1, 2), by).transpose(1, 2)


class Projector(nn.Module):  # type: ignore[misc]
    """From the vision tower's width to the language model's.

    Args:
        config: Sizes of the model.
    """

    def __init__(self, config: PooledConfig) -> None:
        super().__init__()
        vision, text = config.vision_config.hidden_size, config.text_config.hidden_size
        self.linear_1 = nn.Linear(vision, text)
        self.act = ACT2FN[config.projector_hidden_act]
        self.linear_2 = nn.Linear(text, text)

    def forward(self, features: Tensor) -> Tensor:
        """Shape (..., width of the vision tower) to (..., width of the language model)."""
        projected: Tensor = self.linear_2(self.act(self.linear_1(features)))
        return projected


class PooledPreTrainedModel(PreTrainedModel):  # type: ignore[misc]
    """What transformers must know of the class."""

    config: PooledConfig
    config_class = PooledConfig
    base_model_prefix = "model"
    input_modalities = ("image", "video", "text")
    supports_gradient_checkpointing = True
    _no_split_modules = ["SiglipEncoderLayer", "Qwen2DecoderLayer"]  # noqa: RUF012
    _skip_keys_device_placement = ["past_key_values"]  # noqa: RUF012
    _supports_flash_attn = True
    _supports_sdpa = True
    _supports_flex_attn = True
    _supports_attention_backend = True


class PooledModel(PooledPreTrainedModel):
    """The model without its last layer.

    Args:
        config: Sizes.
    """

    def __init__(self, config: PooledConfig) -> None:
        super().__init__(config)
        self.vision_tower = AutoModel.from_config(config.vision_config)
        # The output of the last layer is read as it is, so there is nothing to train here.
        self.vision_tower.post_layernorm = nn.Identity()
        self.multi_modal_projector = Projector(config)
        self.language_model = AutoModel.from_config(config.text_config)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The table of token embeddings."""
        return self.language_model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Exchange the table of token embeddings."""
        self.language_model.set_input_embeddings(value)

    def get_image_features(self, pixel_values: Tensor) -> Tensor:
        """What the language model sees of pictures.

        Args:
            pixel_values: Shape (pictures, 3, height, width), normalised.

        Returns:
            Shape (pictures, tokens of a picture, width of the language model).
        """
        features = self.vision_tower(pixel_values).last_hidden_state
        shown: Tensor = self.multi_modal_projector(max_pool(features, self.config.pool))
        return shown

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        **kwargs: Any,
    ) -> BaseModelOutputWithPast:
        """Run the model.

        Args:
            input_ids: Shape (prompts, tokens), with as many picture and video tokens as there are features of each.
            pixel_values: All pictures, in their order in the prompts, shape (pictures, 3, height, width).
            pixel_values_videos: All frames of all videos, in their order, shape (frames, 3, height, width).
            attention_mask: Shape (prompts, tokens).
            position_ids: Shape (prompts, tokens).
            past_key_values: Keys and values of earlier tokens.
            inputs_embeds: In place of input_ids; then there are no pictures.
            kwargs: For the language model.

        Raises:
            ValueError: Pictures and their tokens do not match.
        """
        if inputs_embeds is None:
            inputs_embeds = self.get_input_embeddings()(input_ids)
        for token, pixels in (
            (self.config.image_token_id, pixel_values),
            (self.config.video_token_id, pixel_values_videos),
        ):
            if pixels is not None:
                inputs_embeds = _put_in(inputs_embeds, input_ids, token, self.get_image_features(pixels))
        outputs: BaseModelOutputWithPast = self.language_model(
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            **kwargs,
        )
        return outputs


def _put_in(embeds: Tensor, ids: Tensor | None, token: int, features: Tensor) -> Tensor:
    if ids is None:
        raise ValueError("Pictures need input_ids, which say where they are")
    places = ids == token
    if int(places.sum()) != features.shape[0] * features.shape[1]:
        raise ValueError(
            f"{features.shape[0]} pictures of {features.shape[1]} tokens each do not fit into {places.sum()} places"
        )
    return embeds.masked_scatter(places.unsqueeze(-1), features.to(embeds.dtype))


class PooledForConditionalGeneration(PooledPreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """The model, which says how likely each next token is.

    Args:
        config: Sizes.
    """

    _tied_weights_keys = {"lm_head.weight": "model.language_model.embed_tokens.weight"}  # noqa: RUF012

    def __init__(self, config: PooledConfig) -> None:
        super().__init__(config)
        self.model = PooledModel(config)
        self.lm_head = nn.Linear(config.text_config.hidden_size, config.text_config.vocab_size, bias=False)
        self.post_init()

    def get_input_embeddings(self) -> nn.Module:
        """The table of token embeddings."""
        return self.model.get_input_embeddings()

    def set_input_embeddings(self, value: nn.Module) -> None:
        """Exchange the table of token embeddings."""
        self.model.set_input_embeddings(value)

    def get_output_embeddings(self) -> nn.Module:
        """The last layer."""
        return self.lm_head

    def forward(
        self,
        input_ids: Tensor | None = None,
        pixel_values: Tensor | None = None,
        pixel_values_videos: Tensor | None = None,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: Any = None,
        inputs_embeds: Tensor | None = None,
        labels: Tensor | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Run the model; see :meth:`PooledModel.forward`.

        Args:
            input_ids: Shape (prompts, tokens).
            pixel_values: Shape (pictures, 3, height, width).
            pixel_values_videos: Shape (frames, 3, height, width).
            attention_mask: Shape (prompts, tokens).
            position_ids: Shape (prompts, tokens).
            past_key_values: Keys and values of earlier tokens.
            inputs_embeds: In place of input_ids.
            labels: Shape (prompts, tokens); -100 where there is none.
            logits_to_keep: Of how many last tokens logits are wanted, or of which; 0: of all.
            kwargs: For the language model and the loss.
        """
        outputs = self.model(
            input_ids=input_ids,
            pixel_values=pixel_values,
            pixel_values_videos=pixel_values_videos,
            attention_mask=attention_mask,
            position_ids=position_ids,
            past_key_values=past_key_values,
            inputs_embeds=inputs_embeds,
            **kwargs,
        )
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(outputs.last_hidden_state[:, kept, :])
        vocabulary = self.config.text_config.vocab_size
        loss = None if labels is None else self.loss_function(logits, labels, vocabulary, **kwargs)
        return CausalLMOutputWithPast(
            loss=loss,
            logits=logits,
            past_key_values=outputs.past_key_values,
            hidden_states=outputs.hidden_states,
            attentions=outputs.attentions,
        )
