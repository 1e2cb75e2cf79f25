"""Everything that a pre-trained model depends on, besides the episodes."""

from __future__ import annotations

from pydantic import Field

from hpvqa.plain import Model
from hpvqa.vlm.frames.sampling import FrameSampling


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
    batch_size: int = Field(ge=1, description="Clips a step.")
    learning_rate: float = Field(gt=0, description="At its highest.")
    warmup: int = Field(default=50, ge=1, description="Steps over which it rises.")
    weight_decay: float = Field(default=0.01, ge=0)
    drop_share: float = Field(default=0.3, ge=0, le=1, description="Share of the steps that show the drop task.")


class PretrainSettings(Model):
    """All of it."""

    model: ModelSettings = ModelSettings()
    pointing: StageSettings = StageSettings(steps=1000, batch_size=48, learning_rate=1.5e-3)
    language: StageSettings = StageSettings(steps=450, batch_size=32, learning_rate=2e-3)
    push_frames: FrameSampling = Field(
        default=FrameSampling(fps=0.55, resolution=(160, 160)),
        description="Which frames of a whole push the model is shown: four, before, between and after both touches, at "
        "about the same times whatever the frame rate of the clip.",
    )
    drop_frames: FrameSampling = Field(
        default=FrameSampling(count=16, resolution=(160, 160)),
        description="Which frames of a whole drop the model is shown: two a second.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of the weights and of what is drawn.")
    held_out: float = Field(
        default=0.1, gt=0, lt=1, description="Share of the episodes of a data folder, its last ones, for checks alone."
    )

    def frames(self, task: str) -> FrameSampling:
        """Which frames of a whole clip of a task the model is shown."""
        return self.push_frames if task == "push" else self.drop_frames
