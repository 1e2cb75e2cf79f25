"""Requests for a chat completion as the OpenAI interface defines them, and what vLLM adds; nothing else is allowed."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field


class Strict(BaseModel):
    model_config = ConfigDict(extra="forbid", strict=True)


class Url(Strict):
    url: str


class Text(Strict):
    type: Literal["text"]
    text: str = Field(min_length=1)


class Picture(Strict):
    type: Literal["image_url"]
    image_url: Url


class Video(Strict):
    """Everybody's extension."""

    type: Literal["video_url"]
    video_url: Url


class System(Strict):
    role: Literal["system"]
    content: str = Field(min_length=1)


class User(Strict):
    role: Literal["user"]
    content: list[Annotated[Text | Picture | Video, Field(discriminator="type")]] = Field(min_length=1)


class Assistant(Strict):
    role: Literal["assistant"]
    content: str


class Standard(Strict):
    model: str
    messages: list[Annotated[System | User | Assistant, Field(discriminator="role")]] = Field(min_length=1)
    temperature: float = Field(ge=0, le=2)
    max_tokens: int = Field(ge=1)
    logprobs: bool = False
    top_logprobs: int | None = Field(default=None, ge=0, le=20)
    n: int = Field(default=1, ge=1, le=128)


class OfVllm(Standard):
    chat_template_kwargs: dict[str, Any] = {}
    mm_processor_kwargs: dict[str, Any] = {}
    media_io_kwargs: dict[Literal["video", "image", "audio"], dict[str, Any]] = {}
    logprob_token_ids: list[int] | None = None
    return_tokens_as_token_ids: bool = False
    return_token_ids: bool = False
    return_prompt_text: bool = False
    prompt_logprobs: int | None = None
    add_generation_prompt: bool = True
    continue_final_message: bool = False
