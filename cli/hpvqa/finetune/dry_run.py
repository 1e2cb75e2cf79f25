"""What a training would be, without the model's weights: parameters, tokens of a row, memory."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

from hpvqa.finetune.examples import Collator
from hpvqa.finetune.model import with_lora
from hpvqa.finetune.quantized import weight_bytes
from hpvqa.finetune.run import TrainingJob, count_parameters, prepare
from hpvqa.vlm.families import resolve_model
from hpvqa.vlm.pooled import register
from hpvqa.vlm.processing import load_processor

GB = 1e9
_TRAINED_BYTES = 16
"""Of a trained parameter: float32 weight, gradient, and two moments of AdamW."""
_LAYER_ACTIVATIONS = 34
"""Bytes that a transformer layer keeps for its gradients, for each token and unit of its width, in 16 bits; the
attention matrix, which flash attention does not store, is left out (Korthikanti et al. 2022, arXiv:2205.05198)."""
_LOGIT_BYTES = 10
"""Of a logit: 16 bits, its float32 copy, and the gradient of that."""


@dataclass(frozen=True)
class DryRun:
    """What a training would be.

    Attributes:
        family: The model's family.
        trainable: Parameters that are trained.
        total: All parameters, with the adapter's.
        layers: How many layers LoRA trains.
        rows: Rows to train on.
        episodes: Episodes, or groups of scenes, that they show.
        unit: Which of the two, in the plural.
        validation_rows: Rows that checkpoints are chosen by.
        frames: Frames or pictures of a row, of one of the largest.
        tokens: Tokens of a row, of the same one.
        steps: Optimiser steps.
        weights_gb: Memory of the model's weights in bfloat16, or in 4 bits where the recipe says so [GB].
        weights_format: Their number format.
        adapter_gb: Memory of the adapter, its gradients and its optimiser [GB].
        activations_gb: Memory of one batch with gradient checkpointing, an estimate [GB].
        warnings: What a user should know.
    """

    family: str
    trainable: int
    total: int
    layers: int
    rows: int
    episodes: int
    unit: str
    validation_rows: int
    frames: int
    tokens: int
    steps: int
    weights_gb: float
    weights_format: str
    adapter_gb: float
    activations_gb: float
    warnings: tuple[str, ...]

    @property
    def memory_gb(self) -> float:
        """All of it, and 2 GB for the GPU's own needs [GB]."""
        return self.weights_gb + self.adapter_gb + self.activations_gb + 2.0


def plan(job: TrainingJob) -> DryRun:
    """Work out what a training would be; the model's configuration and processor are enough.

    Raises:
        HpvqaError: Something is wrong with the job.
    """
    import torch
    from transformers import AutoConfig, AutoModelForImageTextToText

    from hpvqa.finetune.arguments import total_steps

    register()
    prepared = prepare(replace(job, cache=None))
    model_id = resolve_model(job.model)
    processor = load_processor(model_id)
    config = AutoConfig.from_pretrained(model_id, local_files_only=True, trust_remote_code=False)
    warnings = list(prepared.warnings)
    with torch.device("meta"):
        empty = AutoModelForImageTextToText.from_config(config)
        lora, seed = job.recipe.lora, job.recipe.training.seed
        model, targets = with_lora(empty, prepared.family, lora, seed, warnings.append, job.start)
    trainable, total = count_parameters(model)
    example = prepared.train[prepared.largest]
    batch = Collator(processor, prepared.family)([example])
    tokens = int(batch["attention_mask"].sum())
    return DryRun(
        family=prepared.family.name,
        trainable=trainable,
        total=total,
        layers=len(targets.layers),
        rows=prepared.rows,
        episodes=prepared.clusters[0],
        unit=prepared.unit,
        validation_rows=len(prepared.validation),
        frames=sum(len(video.indices) for video in example.query.videos),
        tokens=tokens,
        steps=total_steps(len(prepared.train), job.recipe.training),
        weights_gb=weight_bytes(model, job.recipe.lora) / GB,
        weights_format="bfloat16" if lora.quantize == "none" else f"4 bits ({lora.quantize})",
        adapter_gb=_TRAINED_BYTES * trainable / GB,
        activations_gb=_activations(config, tokens * job.recipe.training.batch_size) / GB,
        warnings=tuple(warnings),
    )


def _activations(config: Any, tokens: int) -> float:
    """Bytes of a batch: the input of every layer, one layer in full, and the logits."""
    text = config.get_text_config()
    kept = 2 * tokens * text.hidden_size * text.num_hidden_layers
    return float(kept + _LAYER_ACTIVATIONS * tokens * text.hidden_size + _LOGIT_BYTES * tokens * text.vocab_size)
