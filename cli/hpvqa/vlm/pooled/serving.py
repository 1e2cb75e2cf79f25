"""The pooled model in vLLM, of vLLM's own SigLIP and Qwen2; see :func:`hpvqa.vlm.pooled.vllm_plugin`."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import torch
from torch import nn
from vllm.config import VllmConfig
from vllm.model_executor.models.interfaces import SupportsLoRA, SupportsMultiModal, SupportsPP
from vllm.model_executor.models.llava import LlavaMultiModalProjector
from vllm.model_executor.models.module_mapping import MultiModelKeys
from vllm.model_executor.models.siglip import SiglipVisionModel
from vllm.model_executor.models.utils import AutoWeightsLoader, WeightsMapper, init_vllm_registered_model, maybe_prefix
from vllm.multimodal import MULTIMODAL_REGISTRY
from vllm.multimodal.inputs import MultiModalFieldConfig
from vllm.multimodal.processing import (
    BaseDummyInputsBuilder,
    BaseMultiModalProcessor,
    BaseProcessingInfo,
    PromptReplacement,
)

from hpvqa.vlm.pooled.configuration import PooledConfig
from hpvqa.vlm.pooled.modeling import max_pool
from hpvqa.vlm.pooled.processing import TOKENS, PooledProcessor

_FRAMES = "video_num_frames"


class PooledInfo(BaseProcessingInfo):  # type: ignore[misc]
    """What vLLM must know to make tokens of pictures and videos."""

    def get_hf_config(self) -> PooledConfig:
        """The model's configuration."""
        config: PooledConfig = self.ctx.get_hf_config(PooledConfig)
        return config

    def get_hf_processor(self, **kwargs: object) -> PooledProcessor:
        """The model's processor."""
        processor: PooledProcessor = self.ctx.get_hf_processor(PooledProcessor, **kwargs)
        return processor

    def get_supported_mm_limits(self) -> Mapping[str, int | None]:
        """Any number of both."""
        return {"image": None, "video": None}

    def most_frames(self, length: int, counts: Mapping[str, int]) -> int:
        """How many frames each video may have at most, in a prompt of this length."""
        frames = length // self.get_hf_config().tokens_per_image - counts.get("image", 0)
        return max(frames // max(counts.get("video", 0), 1), 1)


class PooledDummyInputs(BaseDummyInputsBuilder[PooledInfo]):  # type: ignore[misc]
    """The largest inputs, by which vLLM measures what memory it needs."""

    def get_dummy_text(self, mm_counts: Mapping[str, int]) -> str:
        """A prompt of so many pictures and videos."""
        return TOKENS["image_token"] * mm_counts.get("image", 0) + TOKENS["video_token"] * mm_counts.get("video", 0)

    def get_dummy_mm_data(self, seq_len: int, mm_counts: Mapping[str, int], mm_options: Any) -> dict[str, Any]:
        """The pictures and videos."""
        side = self.info.get_hf_config().vision_config.image_size
        size = {"width": side, "height": side}
        return {
            "image": self._get_dummy_images(
                **size, num_images=mm_counts.get("image", 0), overrides=mm_options.get("image")
            ),
            "video": self._get_dummy_videos(
                **size,
                num_frames=self.info.most_frames(seq_len, mm_counts),
                num_videos=mm_counts.get("video", 0),
                overrides=mm_options.get("video"),
            ),
        }


class PooledMultiModalProcessor(BaseMultiModalProcessor[PooledInfo]):  # type: ignore[misc]
    """From pictures and videos to tensors and tokens."""

    def _get_hf_mm_text(self, mm_counts: Mapping[str, int]) -> str:
        return str(self.dummy_inputs.get_dummy_text(mm_counts))

    def _postprocess_hf_mm_data(self, mm_inputs: Mapping[str, Any], kwargs: Mapping[str, object], data: Any) -> Any:
        if "pixel_values_videos" in data:
            data[_FRAMES] = torch.tensor([len(video) for video in mm_inputs["videos"]])
        return data

    def _get_mm_fields_config(self, hf_inputs: Any, hf_processor_mm_kwargs: Mapping[str, object]) -> dict[str, Any]:
        frames = hf_inputs.get(_FRAMES, torch.empty(0, dtype=torch.long))
        return {
            "pixel_values": MultiModalFieldConfig.batched("image"),
            "pixel_values_videos": MultiModalFieldConfig.flat_from_sizes("video", frames),
            _FRAMES: MultiModalFieldConfig.batched("video", keep_on_cpu=True),
        }

    def _get_prompt_updates(
        self, mm_items: Any, hf_processor_mm_kwargs: Mapping[str, object], out_mm_kwargs: Any
    ) -> Sequence[PromptReplacement]:
        config = self.info.get_hf_config()

        def video(number: int) -> list[int]:
            frames = int(out_mm_kwargs["video"][number][_FRAMES].data)
            return [config.video_token_id] * (frames * config.tokens_per_image)

        return [
            PromptReplacement("image", [config.image_token_id], [config.image_token_id] * config.tokens_per_image),
            PromptReplacement("video", [config.video_token_id], video),
        ]


@MULTIMODAL_REGISTRY.register_processor(PooledMultiModalProcessor, info=PooledInfo, dummy_inputs=PooledDummyInputs)
class PooledForConditionalGeneration(nn.Module, SupportsLoRA, SupportsMultiModal, SupportsPP):  # type: ignore[misc]
    """The same model as :class:`hpvqa.vlm.pooled.modeling.PooledForConditionalGeneration`.

    Args:
        vllm_config: Everything that was chosen.
        prefix: What the names of its weights begin with.
    """

    packed_modules_mapping = {  # noqa: RUF012
        "qkv_proj": ["q_proj", "k_proj", "v_proj"],
        "gate_up_proj": ["gate_proj", "up_proj"],
    }
    hf_to_vllm_mapper = WeightsMapper(
        orig_to_new_prefix={
            "model.language_model.": "language_model.model.",
            "model.vision_tower.": "vision_tower.vision_model.",
            "model.multi_modal_projector.": "multi_modal_projector.",
            "lm_head.": "language_model.lm_head.",
        }
    )

    @classmethod
    def get_placeholder_str(cls, modality: str, i: int) -> str | None:
        """What stands in a prompt for a picture or a video."""
        seen = TOKENS["video_token" if modality.startswith("video") else "image_token"]
        return f"{TOKENS['vision_bos_token']}{seen}{TOKENS['vision_eos_token']}"

    def __init__(self, *, vllm_config: VllmConfig, prefix: str = "") -> None:
        super().__init__()
        config: PooledConfig = vllm_config.model_config.hf_config
        quant = vllm_config.quant_config
        self.config = config
        self.configure_mm_token_handling(
            vocab_size=config.text_config.vocab_size, mm_token_ids=[config.image_token_id, config.video_token_id]
        )
        with self._mark_tower_model(vllm_config, {"image", "video"}):
            self.vision_tower = SiglipVisionModel(
                config.vision_config, quant, require_post_norm=False, prefix=maybe_prefix(prefix, "vision_tower")
            )
            self.multi_modal_projector = LlavaMultiModalProjector(
                vision_hidden_size=config.vision_config.hidden_size,
                text_hidden_size=config.text_config.hidden_size,
                projector_hidden_act=config.projector_hidden_act,
                multimodal_projector_bias=True,
                quant_config=quant,
                prefix=maybe_prefix(prefix, "multi_modal_projector"),
            )
        with self._mark_language_model(vllm_config):
            self.language_model = init_vllm_registered_model(
                vllm_config=vllm_config,
                hf_config=config.text_config,
                prefix=maybe_prefix(prefix, "language_model"),
                architectures=["Qwen2ForCausalLM"],
            )
        self.make_empty_intermediate_tensors = self.language_model.make_empty_intermediate_tensors

    def embed_multimodal(self, **kwargs: Any) -> list[torch.Tensor]:
        """What the language model sees: shape (tokens, width) for each picture or video."""
        seen: list[torch.Tensor] = []
        if (pictures := kwargs.get("pixel_values")) is not None:
            seen += list(self._features(pictures))
        if (frames := kwargs.get("pixel_values_videos")) is not None:
            shown = self._features(frames)
            counts = kwargs[_FRAMES].flatten().tolist()
            seen += [video.flatten(0, 1) for video in shown.split(counts)]
        return seen

    def _features(self, pixels: torch.Tensor) -> torch.Tensor:
        """Shape (pictures, 3, height, width) to (pictures, tokens, width)."""
        pooled = max_pool(self.vision_tower(pixels), self.config.pool)
        projected: torch.Tensor = self.multi_modal_projector(pooled)
        return projected

    def forward(
        self,
        input_ids: torch.Tensor | None,
        positions: torch.Tensor,
        intermediate_tensors: Any = None,
        inputs_embeds: torch.Tensor | None = None,
        **kwargs: object,
    ) -> Any:
        """The hidden states of the language model."""
        if intermediate_tensors is not None:
            inputs_embeds = None
        return self.language_model.model(input_ids, positions, intermediate_tensors, inputs_embeds=inputs_embeds)

    def compute_logits(self, hidden_states: torch.Tensor) -> torch.Tensor | None:
        """Logits of the next token."""
        logits: torch.Tensor | None = self.language_model.compute_logits(hidden_states)
        return logits

    def load_weights(self, weights: Iterable[tuple[str, torch.Tensor]]) -> set[str]:
        """Take the weights of a checkpoint; the names of those that were taken."""
        taken: set[str] = AutoWeightsLoader(self).load_weights(weights, mapper=self.hf_to_vllm_mapper)
        return taken

    def get_mm_mapping(self) -> MultiModelKeys:
        """Which part is which, for adapters."""
        return MultiModelKeys.from_string_field(
            language_model="language_model", connector="multi_modal_projector", tower_model="vision_tower"
        )
