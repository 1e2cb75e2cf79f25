"""What a user says about a model that is run here, or about a server that runs one."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import Field, SecretStr, model_validator

from hpvqa.plain import Model
from hpvqa.vlm.embedded import ADAPTED, adapter_folder

Scoring = Literal["logprobs", "generate"]
Transport = Literal["clip", "file", "images"]

ScoringField = Annotated[
    Scoring,
    Field(
        description="logprobs: compare how likely each choice is; generate: let the model write an answer, and read it."
    ),
]
Length = Annotated[int, Field(ge=1, description="With generate: the longest answer [tokens].")]


class ModelOptions(Model):
    """A model that runs in this process."""

    model: str = Field(description="A model folder, a hub id, or the name of a model family.")
    adapter: Path | None = Field(default=None, description="Folder of a LoRA adapter that is put on the model.")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="Number format; auto: bfloat16 on a GPU that has it, else float32."
    )
    device: Literal["auto", "cpu", "cuda"] = Field(
        default="auto", description="Device to run on; auto: a GPU if there is one."
    )
    batch_size: int = Field(default=16, ge=1, description="Queries at once.")
    scoring: ScoringField = "logprobs"
    max_new_tokens: Length = 16
    gpu_memory: float = Field(default=0.9, gt=0, le=1, description="Share of the GPU's memory that vLLM takes.")
    max_videos: int = Field(default=1, ge=1, description="Most videos of one query.")

    @model_validator(mode="before")
    @classmethod
    def _embedded_has_its_adapter(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("model") == ADAPTED and given.get("adapter") is None:
            return {**given, "adapter": adapter_folder()}
        return given


class ServerOptions(Model):
    """A server with an OpenAI-compatible interface."""

    url: str = Field(description="Its address, such as http://127.0.0.1:8000/v1.")
    model: str | None = Field(default=None, description="Name of the model there; null: the only one it serves.")
    key: SecretStr | None = Field(default=None, description="Its API key; from the environment only.")
    transport: Transport = Field(
        default="clip",
        description="With openai, how frames are sent: clip: a lossless video in base64; file: the same as a file that "
        "the server may read; images: one picture after the other, each with its time.",
    )
    media: Path | None = Field(default=None, description="With file: a folder that the server may read.")
    concurrency: int = Field(default=8, ge=1, le=256, description="Requests at once.")
    retries: int = Field(default=4, ge=0, le=20, description="How often a failed request is tried again.")
    timeout: float = Field(default=120.0, gt=0, description="Longest wait for one answer [s].")
    scoring: ScoringField = "logprobs"
    max_new_tokens: Length = 16
