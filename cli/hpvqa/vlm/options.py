"""What a user says about what answers: one set of options for each backend, told apart by the name of the backend."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal, Self, get_args

from pydantic import Field, JsonValue, SecretStr, model_validator

from hpvqa.plain import Model
from hpvqa.vlm.embedded import ADAPTED, own_adapter

Scoring = Literal["logprobs", "generate", "sample"]
Transport = Literal["clip", "file", "images"]
_WAIT = 120.0
"""Longest wait for an answer of few tokens [s]."""
_SLOWEST = 5
"""What a busy server generates of one answer, at worst [tokens/s]."""


class BaselineOptions(Model):
    """A rule that is no model."""

    backend: Literal["baseline"] = "baseline"
    model: str = Field(default="pixels", description="Its name.")


class _ScoredOptions(Model):
    """A model, whose answers can be found in several ways."""

    scoring: Scoring = Field(
        default="logprobs",
        description="logprobs: compare how likely each choice is; generate: let the model write an answer, and read "
        "it; sample: let it write several, drawn at temperature 1, and count them: the share of a choice is its "
        "probability.",
    )
    samples: int = Field(default=9, ge=2, le=1000, description="With sample: how many answers are drawn.")
    thinking: int | None = Field(
        default=None,
        ge=1,
        description="Let the model think first, for so many tokens at most, such as 4096, and read what it says then; "
        "thoughts that are cut off are no valid answer.",
    )
    max_new_tokens: int = Field(default=16, ge=1, description="With generate or sample: the longest answer [tokens].")

    @model_validator(mode="before")
    @classmethod
    def _who_thinks_speaks(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("thinking") is not None:
            return {"scoring": "generate", **given}
        return given

    @model_validator(mode="after")
    def _fits(self) -> Self:
        if self.thinking is not None and self.scoring == "logprobs":
            raise ValueError("--thinking lets the model speak, so it is for --scoring generate or sample")
        if "samples" in self.model_fields_set and self.scoring != "sample":
            raise ValueError("--samples is for --scoring sample")
        return self

    @property
    def longest(self) -> int:
        """The longest reply, thoughts included [tokens]."""
        return self.max_new_tokens + (self.thinking or 0)

    @property
    def spoken_details(self) -> dict[str, JsonValue]:
        """What answers depend on besides how they are scored, where it is not as usual."""
        drawn = {"samples": self.samples} if self.scoring == "sample" else {}
        return {**drawn, **({} if self.thinking is None else {"thinking": self.thinking})}


class EngineOptions(_ScoredOptions):
    """A model that runs in this process."""

    model: str = Field(default=ADAPTED, description="A model folder, a hub id, or the name of a model family.")
    adapter: Path | None = Field(default=None, description="Folder of a LoRA adapter that is put on the model.")
    dtype: Literal["auto", "float32", "bfloat16"] = Field(
        default="auto", description="Number format; auto: bfloat16 on a GPU that has it, else float32."
    )
    batch_size: int = Field(default=16, ge=1, description="Queries at once.")
    max_videos: int = Field(default=1, ge=1, description="Most videos of one query.")
    data_parallel_size: int = Field(
        default=1,
        ge=1,
        le=64,
        description="Copies of the model, each on GPUs of its own and in a process of its own, that share the queries.",
    )

    @model_validator(mode="before")
    @classmethod
    def _a_name_includes_its_adapter(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("adapter") is None:
            return {**given, "adapter": own_adapter(given.get("model", ADAPTED))}
        return given


class TransformersOptions(EngineOptions):
    """A model that transformers runs in this process."""

    backend: Literal["transformers"] = "transformers"
    device: Literal["auto", "cpu", "cuda", "spread"] = Field(
        default="auto",
        description="Device to run on; auto: a GPU if there is one; spread: layer by layer over all GPUs, for a model "
        "that does not fit onto one.",
    )


class VllmOptions(EngineOptions):
    """A model that vLLM runs in this process, or serves."""

    backend: Literal["vllm"] = "vllm"
    tensor_parallel_size: int = Field(
        default=1,
        ge=1,
        le=64,
        description="GPUs that share each layer of the model, for one that does not fit onto one.",
    )
    gpu_memory: float = Field(default=0.9, gt=0, le=1, description="Share of the GPU's memory that vLLM takes.")


class ServerOptions(_ScoredOptions):
    """A model behind a server with an OpenAI-compatible interface."""

    backend: Literal["openai"] = "openai"
    server: str = Field(default="http://127.0.0.1:8000/v1", description="With openai: its address.")
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
    timeout: float | None = Field(
        default=None,
        gt=0,
        description="Longest wait for one answer [s]; null: 120, or as long as 5 tokens a second take.",
    )

    @property
    def wait(self) -> float:
        """The longest wait for one answer [s]; nothing of one that is not sent piece by piece comes before its end."""
        return self.timeout or max(_WAIT, self.longest / _SLOWEST)


BackendOptions = BaselineOptions | TransformersOptions | VllmOptions | ServerOptions
"""What is said of one backend; its field ``backend`` tells which."""
BACKENDS: Mapping[str, type[BackendOptions]] = {
    kind.model_fields["backend"].default: kind for kind in get_args(BackendOptions)
}
"""What can be said of each backend; the default of its field ``model`` is what it runs if none is named."""
