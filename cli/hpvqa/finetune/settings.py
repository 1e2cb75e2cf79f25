"""Recipes of fine-tuning: everything that an adapter depends on, besides the model and the data set."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from hpvqa.errors import UsageError, nearest
from hpvqa.explore.samples.record import SUBSETS, Subset
from hpvqa.plain import Model, validated
from hpvqa.resources import read_named, recipes_dir
from hpvqa.vlm.frames.sampling import FrameSampling

Schedule = Literal["linear", "cosine", "constant"]
Part = Literal["language", "projector", "both"]
SUFFIX = "lora"
"""What the names of shipped recipes of this kind end with."""


def _compiles(targets: str | tuple[str, ...] | None) -> str | tuple[str, ...] | None:
    if isinstance(targets, str):
        try:
            re.compile(targets)
        except re.error as error:
            raise ValueError(f"{targets!r} is no regular expression: {error}") from None
    return targets


class LoraSettings(Model):
    """The shape of an adapter."""

    rank: int = Field(default=16, ge=1, le=512, description="Rank of the update of a layer.")
    alpha: float = Field(default=32.0, gt=0, description="The update is scaled by alpha / rank.")
    dropout: float = Field(default=0.1, ge=0, lt=1, description="Share of inputs that LoRA does not see in training.")
    targets: Annotated[str | tuple[str, ...] | None, AfterValidator(_compiles)] = Field(
        default=None,
        description="Layers that are trained: a regular expression for their full names, or a list of last names; by "
        "default what the model's family says for part.",
    )
    part: Part = Field(
        default="language",
        description="What is trained where targets names nothing: the language model alone; the projector, which "
        "brings pictures into it; or both.",
    )
    quantize: Literal["none", "nf4"] = Field(
        default="none",
        description="nf4: hold the language model's own weights in 4 bits while the adapter is trained (QLoRA); it "
        "takes a quarter of their memory.",
    )
    extra_targets: bool = Field(
        default=False,
        description="Also train what the family has besides, such as the linear-attention layers of Qwen3.5.",
    )


class TrainingSettings(Model):
    """How an adapter is trained."""

    learning_rate: float = Field(default=5e-5, gt=0, description="Highest learning rate of AdamW.")
    schedule: Schedule = Field(default="linear", description="How the learning rate falls.")
    warmup: float = Field(default=0.0, ge=0, lt=1, description="Share of all steps over which it rises first.")
    weight_decay: float = Field(default=0.0, ge=0, description="Weight decay of AdamW.")
    batch_size: int = Field(default=4, ge=1, description="Rows of one step on one device.")
    accumulation: int = Field(default=1, ge=1, description="Batches whose gradients are added up before a step.")
    epochs: float = Field(default=3.0, gt=0, description="How often every row is seen.")
    min_steps: int | None = Field(
        default=None,
        ge=1,
        description="Take at least so many steps, by seeing rows more often; null: as many as epochs says.",
    )
    max_steps: int | None = Field(
        default=None, ge=1, description="Stop after so many steps, even below min_steps; null: after all epochs."
    )
    seed: int = Field(
        default=42,
        ge=0,
        description="Random seed of the order of rows, of dropout, and of the adapter's first weights.",
    )
    mirror: bool = Field(
        default=False,
        description="Show every row a second time in each epoch, flipped from left to right and with the other answer.",
    )
    validation: float = Field(
        default=0.1, gt=0, lt=1, description="Share of the training episodes on which checkpoints are chosen."
    )
    checks: int = Field(default=6, ge=1, description="How often, evenly spread, the model is checked and saved.")
    patience: int | None = Field(
        default=None, ge=1, description="Stop after so many checks without improvement; null: never."
    )
    max_grad_norm: float = Field(default=1.0, gt=0, description="Gradients longer than this are shortened.")
    gradient_checkpointing: bool | None = Field(
        default=None, description="Save memory by computing activations twice; null: on a GPU."
    )


class SampleSettings(Model):
    """Which part of the samples of scenes is trained on, and how it is checked."""

    subsets: tuple[Subset, ...] = Field(
        default=SUBSETS,
        min_length=1,
        description="steps: decisions; captions: descriptions of one picture; single: short questions about one step.",
    )
    thought: bool = Field(
        default=True, description="Whether a thought comes before each decision; else it is a letter alone."
    )
    max_new_tokens: int = Field(
        default=2048, ge=1, description="Most tokens of a reply, where decisions are checked and where an agent plays."
    )
    spoken: int = Field(
        default=24,
        ge=0,
        description="At each check, so many thoughts are written out to see whether they end in the correct decision.",
    )


class FinetuneRecipe(Model):
    """A recipe of fine-tuning."""

    kind: Literal["finetune"] = Field(default="finetune", description="Marks a recipe of fine-tuning.")
    lora: LoraSettings = Field(default=LoraSettings(), description="The shape of the adapter.")
    training: TrainingSettings = Field(default=TrainingSettings(), description="How it is trained.")
    frames: FrameSampling = Field(
        default=FrameSampling(),
        description="Which frames are seen; the resolution is that of the model's family if the recipe gives none.",
    )
    prompt: str = Field(default="paper", description="The words around the question: a shipped name, or a YAML file.")
    samples: SampleSettings | None = Field(
        default=None,
        description="For samples of scenes, which say themselves what is seen and asked; null: for data sets.",
    )

    @model_validator(mode="after")
    def _of_one_kind(self) -> Self:
        if self.samples is None:
            return self
        said = sorted({"frames", "prompt"} & self.model_fields_set) or (["mirror"] if self.training.mirror else [])
        if said:
            raise ValueError(f"{said[0]} is for data sets, not for samples of scenes; leave it out")
        return self


_SECTIONS: dict[str, type[Model]] = {
    "lora": LoraSettings,
    "training": TrainingSettings,
    "frames": FrameSampling,
    "samples": SampleSettings,
}


def finetune_recipe_names() -> list[str]:
    """Names of the recipes that come with the package."""
    return sorted(path.stem for path in recipes_dir().glob(f"*{SUFFIX}.yaml"))


def load_finetune_recipe(name: str) -> FinetuneRecipe:
    """Read a recipe by the name of a shipped one, or from a YAML file.

    Raises:
        UsageError: There is no such recipe, or it is not valid.
    """
    data, source = read_named("fine-tuning recipe", "recipe", name, recipes_dir(), finetune_recipe_names())
    if not isinstance(data, dict) or data.get("kind") != "finetune":
        raise UsageError(f"{source} is not one of fine-tuning: it lacks the line kind: finetune")
    return validated(FinetuneRecipe, data, source)


def override(
    recipe: FinetuneRecipe, given: Mapping[str, Any], options: Mapping[str, str] | None = None
) -> FinetuneRecipe:
    """A recipe with single values replaced.

    Args:
        recipe: The recipe.
        given: New values by dotted name, such as ``training.epochs``.
        options: What the user calls them, by dotted name.

    Raises:
        UsageError: There is no such value, or it cannot be that.
    """
    data = recipe.model_dump(exclude_unset=True)
    known = [f"{section}.{key}" for section, model in _SECTIONS.items() for key in model.model_fields] + ["prompt"]
    for name, value in given.items():
        section, _, key = name.rpartition(".")
        if name not in known:
            raise UsageError(f"A recipe of fine-tuning has no value {name!r}; {nearest(name, known)}")
        (data.setdefault(section, {}) if section else data)[key] = value
    return validated(FinetuneRecipe, data, "The command line", options)
