"""Samples: what a model is shown and asked, and what it should reply."""

from __future__ import annotations

from typing import Annotated, Literal, get_args

import numpy as np
from pydantic import Field

from hpvqa.explore.questions import Form
from hpvqa.explore.samples.courses import Way
from hpvqa.explore.scene import Family, Scene
from hpvqa.plain import Model

SAMPLE_VERSION: Literal[1] = 1
Subset = Literal["steps", "captions", "single"]
SUBSETS: tuple[Subset, ...] = get_args(Subset)
"""steps: thoughts and decisions; captions: descriptions of one picture; single: short questions about one step."""
Split = Literal["train", "eval", "held_out"]
SPLITS: tuple[Split, ...] = get_args(Split)
"""held_out: types of layouts that are kept for evaluation; eval: groups of other types that are not for training."""
_EVAL_SHARE = 0.1
_SPLIT_KEY = 3
"""Keeps the generators of splits apart from others with a scene's seed."""


class Sample(Model):
    """One sample. A model is shown the pictures, ``system`` and ``text``, and should say what ``said`` is."""

    schema_version: Literal[1] = SAMPLE_VERSION
    world_version: int = Field(description="Version of the scenes that it was made of.")
    id: str
    subset: Subset
    split: Split
    family: Family
    type: str = Field(description="Name of the layout.")
    group: int = Field(description="Number of the scene's group, within its family: four scenes with one layout.")
    form: Form = Field(description="Of the scene's question.")
    asks: str = Field(default="", description="What a short question is about.")
    way: Way = Field(description="How the steps before this one were chosen.")
    step: int = Field(ge=0)
    pictures: tuple[Annotated[str, Field(pattern=r"^[0-9a-f]{64}(\.jpg)?$")], ...] = Field(
        description="Files in the order in which they are shown: the SHA-256 of each and .jpg; without an ending, that "
        "of a PNG file."
    )
    system: str
    text: str
    thought: str = ""
    answer: str = Field(description="The letter of the best option, or what should be replied.")
    gains: dict[str, float] = Field(default={}, description="Expected information in each action, by its letter [bit].")

    @property
    def said(self) -> str:
        """The whole reply."""
        if self.subset != "steps":
            return self.answer
        return f"<think>\n{self.thought}\n</think>\n<answer>{self.answer}</answer>"


def split_of(scene: Scene) -> Split:
    """The split of a scene: that of its group."""
    if scene.held_out:
        return "held_out"
    key = (_SPLIT_KEY, scene.number, scene.group)
    chance = np.random.default_rng(np.random.SeedSequence(scene.seed, spawn_key=key)).random()
    return "eval" if chance < _EVAL_SHARE else "train"


def picture_file(split: Split, name: str) -> str:
    """Where a picture lies in a folder of samples."""
    return f"{split}/pictures/{name if name.endswith('.jpg') else f'{name}.png'}"
