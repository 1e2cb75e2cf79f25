"""Everything that the adapter depends on, besides the base and the episodes."""

from __future__ import annotations

from pydantic import Field

from hpvqa.finetune.settings import LoraSettings
from hpvqa.plain import Model
from research.pretrain.settings import StageSettings


class AdaptSettings(Model):
    """All of it."""

    lora: LoraSettings = LoraSettings(dropout=0.0)
    training: StageSettings = StageSettings(steps=2000, batch_size=12, learning_rate=1.5e-3, warmup=100)
    views: int = Field(default=3, ge=1, description="Clips of each episode that are trained on, drawn from its views.")
    mirror: bool = Field(default=True, description="Whether half of the clips are flipped from left to right.")
    large_first: float = Field(
        default=0.4, ge=0, lt=1, description="Share of the steps over which ever smaller differences are let in."
    )
    dense: float = Field(
        default=0.5,
        ge=0,
        description="Weight of the loss of what the probe measures of both sides; 0: the answer alone.",
    )
    seed: int = Field(default=42, ge=0, description="Seed of everything drawn.")
