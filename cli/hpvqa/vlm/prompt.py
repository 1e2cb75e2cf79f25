"""What a model is told besides the pictures: a versioned file, shared by training, evaluation, serving and asking."""

from __future__ import annotations

import hashlib
import re
from typing import Annotated

from pydantic import AfterValidator, Field

from hpvqa.plain import Model, validated
from hpvqa.resources import read_named, recipes_dir
from hpvqa.scene.spec import SIDES, Side, other_side

CHOICES: tuple[Side, ...] = SIDES
"""The words to choose from, in the order in which the questions name them."""

_WORD = re.compile(r"\b(left|right)\b")


def _asks(text: str) -> str:
    if text.count("{question}") != 1:
        raise ValueError("must contain {question} exactly once")
    return text


VALUE_SYSTEM = "You are a helpful assistant. Answer with only a number, in the unit that the question asks for."


class Prompt(Model):
    """A prompt file."""

    name: str = Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$", description="What runs and reports call it.")
    version: int = Field(ge=1, description="Raised with every change of the words.")
    system: str = Field(description="The system message; empty: none.")
    value_system: str = Field(
        default=VALUE_SYSTEM, description="The system message where a number is asked for; empty: none."
    )
    user: Annotated[str, AfterValidator(_asks)] = Field(
        default="{question}", description="The text after the video; {question} stands for the row's question."
    )

    @property
    def sha256(self) -> str:
        """Hash of what a model is told; comments and the layout of the file do not count."""
        # What has always been hashed stays as it is.
        value = "" if self.value_system == VALUE_SYSTEM else f"\0{self.value_system}"
        return hashlib.sha256(f"{self.system}\0{self.user}{value}".encode()).hexdigest()

    def ask(self, question: str) -> str:
        """The text after the video."""
        return self.user.replace("{question}", question)


class PromptRecord(Model):
    """What a run or an adapter writes down of its prompt."""

    name: str
    version: int
    sha256: str = Field(description="Hash of the words; runs with different hashes are never mixed.")
    system: str
    value_system: str = VALUE_SYSTEM
    user: str

    @classmethod
    def of(cls, prompt: Prompt) -> PromptRecord:
        """What to write down of a prompt."""
        return cls(**prompt.model_dump(), sha256=prompt.sha256)


def swap_sides(text: str) -> str:
    """The same text with the words left and right exchanged: the choices in the other order."""

    def swap(match: re.Match[str]) -> str:
        side: Side = "left" if match[1] == "left" else "right"
        return other_side(side)

    return _WORD.sub(swap, text)


def prompt_names() -> list[str]:
    """Names of the prompts that come with the package."""
    return sorted(path.stem for path in (recipes_dir() / "prompts").glob("*.yaml"))


def load_prompt(name: str) -> Prompt:
    """Read a prompt by the name of a shipped one, or from a YAML file.

    Raises:
        UsageError: There is no such prompt, or its file does not describe one.
    """
    data, source = read_named("prompt", "prompt", name, recipes_dir() / "prompts", prompt_names())
    return validated(Prompt, data, source)
