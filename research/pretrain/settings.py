"""Everything that a pre-trained model depends on, besides the episodes."""

from __future__ import annotations

from pydantic import Field

from hpvqa.plain import Model
from hpvqa.vlm.frames.sampling import FrameSampling
from research.reels.plan import FRAMES


class ModelSettings(Model):
    """How large the model is: together about 0.7 million parameters."""

    side: int = Field(default=160, gt=0, description="Width and height of its frames [pixels].")
    patch: int = Field(default=10, gt=0, description="Width and height of a patch [pixels]; two by two become a token.")
    vision_width: int = Field(default=64, gt=0)
    vision_heads: int = Field(default=2, gt=0)
    vision_layers: int = Field(default=3, gt=0)
    width: int = Field(default=96, gt=0)
    heads: int = Field(default=3, gt=0)
    layers: int = Field(default=3, gt=0)
    theta: int = Field(default=10_000, gt=0, description="Base of the rotary embedding.")

    @property
    def cell(self) -> int:
        """Width and height of what becomes one token [pixels]."""
        return 2 * self.patch

    @property
    def cells(self) -> int:
        """How many tokens a frame is wide and high."""
        return self.side // self.cell


class StageSettings(Model):
    """How one stage is trained: AdamW, whose rate rises, and then falls as a cosine to a twentieth."""

    steps: int = Field(ge=0)
    batch_size: int = Field(ge=1, description="Clips a step; where places are pointed at, pairs of frames.")
    learning_rate: float = Field(gt=0, description="At its highest.")
    warmup: int = Field(default=50, ge=1, description="Steps over which it rises.")
    weight_decay: float = Field(default=0.01, ge=0)


class PretrainSettings(Model):
    """All of it."""

    model: ModelSettings = ModelSettings()
    pointing: StageSettings = StageSettings(steps=1000, batch_size=48, learning_rate=1.5e-3)
    language: StageSettings = StageSettings(steps=450, batch_size=32, learning_rate=2e-3)
    seed: int = Field(default=0, ge=0, description="Seed of the weights and of what is drawn.")
    gate: float | None = Field(
        default=0.025,
        gt=0,
        description="Language is not begun while places are off by more than this in a view of a task, on average [m]; "
        "null: whatever they are.",
    )
    held_out: float = Field(
        default=0.1, gt=0, lt=1, description="Share of the episodes of a data folder, its last ones, for checks alone."
    )

    @property
    def frames(self) -> FrameSampling:
        """Which frames of a whole clip the model is shown."""
        return FRAMES.model_copy(update={"resolution": (self.model.side, self.model.side)})
