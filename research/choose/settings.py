"""Everything that the model depends on."""

from __future__ import annotations

from pydantic import Field

from hpvqa.plain import Model
from research.pretrain.settings import ModelSettings, StageSettings


class ChooseSettings(Model):
    """All of it; the sizes make a model of about one million parameters."""

    model: ModelSettings = ModelSettings(
        side=192, patch=16, vision_width=96, vision_layers=4, width=64, heads=4, layers=6
    )
    scenes_seed: int = Field(default=1, ge=0, description="Seed of the scenes that are trained on.")
    groups: int = Field(default=160, ge=2, description="Groups of four scenes that are trained on.")
    held_out: float = Field(default=0.1, gt=0, lt=1, description="Share of them, the last ones, for checks alone.")
    questions: int = Field(default=4, ge=1, description="Questions about the contents of each scene, its own included.")
    worlds: int = Field(
        default=12, ge=0, description="Other contents of each scene, each with another question, told in words alone."
    )
    layouts: int = Field(default=1200, ge=1, description="Layouts whose pictures pointing is trained on, too.")
    moments: int = Field(default=2, ge=1, description="Pictures of each layout.")
    facts: float = Field(
        default=0.3, ge=0, le=1, description="Share of samples in which words stand in the place of pictures."
    )
    pointing: StageSettings = StageSettings(steps=2500, batch_size=32, learning_rate=1.5e-3)
    words: StageSettings = StageSettings(steps=5000, batch_size=16, learning_rate=2e-3, warmup=100)
    aligning: StageSettings = StageSettings(steps=1000, batch_size=64, learning_rate=2e-3)
    language: StageSettings = StageSettings(steps=2500, batch_size=16, learning_rate=1e-3, warmup=100)
    dense: float = Field(
        default=1.0, ge=0, description="Weight of what each option tells, against that of the choice; 0: choice alone."
    )
    gate: float | None = Field(
        default=0.7,
        ge=0,
        le=1,
        description="Language is not begun while the tower names fewer of the things that it was not trained on; "
        "null: whatever it names.",
    )
    seed: int = Field(default=0, ge=0, description="Seed of the weights and of what is drawn.")
