"""What a server replies, as far as it is read; all else is ignored.

What is no list of what it should be is found wrong at its first entry: to tell of each takes more memory than the list.
"""

from __future__ import annotations

import math
from typing import Annotated, Any, TypeVar

from pydantic import BaseModel, BeforeValidator, ConfigDict, FailFast, Field, model_validator

from hpvqa.plain import DEFERRED

ROUNDING = 0.01
"""A logarithm of a probability may be greater than 0 by so much: some servers compute in few bits."""
_MODELS = 10_000
"""No server has more models."""
_LONGEST_COUNT = 10**9


def _text(value: object) -> object:
    """The text of a message, which may come in parts; those that are no text, such as thoughts, are left out."""
    if not isinstance(value, list):
        return value
    parts = [part.get("text") for part in value if isinstance(part, dict) and part.get("type") == "text"]
    return "".join(part for part in parts if isinstance(part, str))


def _word(value: object) -> object:
    return value if isinstance(value, str) else None


def _count(value: object) -> object:
    """What is no number of tokens is ignored: no answer depends on it."""
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value if whole and 0 <= value <= _LONGEST_COUNT else None  # type: ignore[operator] # it is an integer


def _logprob(value: object) -> object:
    """A logarithm that is a number; None for what is impossible, which servers write as null or as minus infinity."""
    if not isinstance(value, int | float):
        return value
    try:
        number = float(value)
    except OverflowError:
        raise ValueError("a logarithm has too many digits") from None
    if math.isnan(number) or number == -math.inf:
        return None
    if number > ROUNDING:
        raise ValueError(f"{number:.3g} is greater than 0, so it is no logarithm of a probability")
    return min(number, 0.0)


def _list(value: object) -> object:
    return [] if value is None else value


T = TypeVar("T")
Many = Annotated[list[T], FailFast(), BeforeValidator(_list)]
"""What may be null where it is empty."""


class Reply(BaseModel):
    """Base of all that is read."""

    model_config = ConfigDict(defer_build=DEFERRED)


class Card(Reply):
    """A served model.

    Attributes:
        id: The name by which it is asked for.
        owned_by: Which software serves it, or whose it is.
        root: Where vLLM has it from.
        parent: With vLLM, the model that an adapter is put on.
    """

    id: str = Field(max_length=1000)
    owned_by: Annotated[str | None, BeforeValidator(_word)] = None
    root: Annotated[str | None, BeforeValidator(_word)] = None
    parent: Annotated[str | None, BeforeValidator(_word)] = None


class Cards(Reply):
    """``GET /models``; some servers reply with the bare list."""

    data: Annotated[Many[Card], Field(max_length=_MODELS)]

    @model_validator(mode="before")
    @classmethod
    def _bare(cls, given: Any) -> Any:
        return {"data": given} if isinstance(given, list) else given


class Version(Reply):
    """``GET /version`` of vLLM."""

    version: str = Field(max_length=100)


class Tokenized(Reply):
    """``POST /tokenize`` of vLLM."""

    tokens: Annotated[Many[Annotated[int, Field(ge=0, le=_LONGEST_COUNT)]], Field(min_length=1, max_length=100)]


class Text(Reply):
    """``POST /detokenize`` of vLLM."""

    prompt: str


class Token(Reply):
    """A token and the natural logarithm of its probability; None where that is not told, or 0 has no logarithm."""

    token: str
    logprob: Annotated[float | None, BeforeValidator(_logprob)] = None


class Position(Token):
    """The token that was generated, and others that could have been."""

    top_logprobs: Many[Token] = []


class Logprobs(Reply):
    """One entry a generated token."""

    content: Many[Position] = []


class Message(Reply):
    """What was said, or why nothing is said; and the thoughts, where the server tells them apart."""

    content: Annotated[str | None, BeforeValidator(_text)] = None
    refusal: Annotated[str | None, BeforeValidator(_word)] = None
    reasoning_content: Any = None
    reasoning: Any = None

    @property
    def thinks(self) -> bool:
        """Whether there are such thoughts."""
        return bool(self.reasoning_content or self.reasoning)


class Said(Reply):
    """One of several answers; we ask for one, but where they are drawn."""

    message: Message
    logprobs: Logprobs | None = None
    finish_reason: Annotated[str | None, BeforeValidator(_word)] = None


class Usage(Reply):
    """Lengths in tokens."""

    prompt_tokens: Annotated[int | None, BeforeValidator(_count)] = None
    completion_tokens: Annotated[int | None, BeforeValidator(_count)] = None


class ChatReply(Reply):
    """``POST /chat/completions``; the last two only with vLLM, and only where asked for."""

    choices: Annotated[Many[Said], Field(min_length=1)]
    usage: Usage | None = None
    prompt_token_ids: Many[int] = []
    prompt_text: str | None = None

    @property
    def text(self) -> str:
        """What was said."""
        message = self.choices[0].message
        return message.content or message.refusal or ""

    @property
    def silent(self) -> bool:
        """Whether there is no text at all, not even an empty one."""
        message = self.choices[0].message
        return message.content is None and message.refusal is None

    @property
    def ended(self) -> str | None:
        """Why the model ended: ``stop``, ``length`` where it was cut off, or another word."""
        return self.choices[0].finish_reason

    @property
    def each(self) -> list[ChatReply]:
        """Every answer as a reply of its own, where several were asked for; the first has the tokens of all."""
        # A server tells how many tokens all of them have together, and not how many each has.
        usage = self.usage and self.usage.model_copy(update={"completion_tokens": None})
        others = [self.model_copy(update={"choices": [said], "usage": usage}) for said in self.choices[1:]]
        return [self.model_copy(update={"choices": self.choices[:1]}), *others]

    @property
    def thinks(self) -> bool:
        """Whether the server tells thoughts apart from what is said, and there are some."""
        return self.choices[0].message.thinks

    @property
    def first(self) -> dict[str, float]:
        """The tokens that could have come first, and their log-probabilities; empty if the server gives none."""
        logprobs = self.choices[0].logprobs
        if logprobs is None or not logprobs.content:
            return {}
        position = logprobs.content[0]
        found: dict[str, float] = {}
        for token in (position, *position.top_logprobs):
            if token.logprob is not None:
                found[token.token] = max(token.logprob, found.get(token.token, token.logprob))
        return found

    @property
    def prompt_tokens(self) -> int | None:
        """Length of the prompt."""
        return None if self.usage is None else self.usage.prompt_tokens

    @property
    def answer_tokens(self) -> int | None:
        """How many tokens were generated."""
        return None if self.usage is None else self.usage.completion_tokens


class Delta(Reply):
    """What was said since the last piece, and in the last one why the model ended."""

    delta: Message = Message()
    finish_reason: Annotated[str | None, BeforeValidator(_word)] = None


class Piece(Reply):
    """One of the pieces of a reply that comes while the model speaks."""

    choices: Many[Delta] = []

    @property
    def text(self) -> str:
        """What was said."""
        return (self.choices[0].delta.content or "") if self.choices else ""

    @property
    def thinks(self) -> bool:
        """Whether there are thoughts that the server tells apart from what is said."""
        return any(choice.delta.thinks for choice in self.choices)

    @property
    def last(self) -> bool:
        """Whether the model has ended."""
        return any(choice.finish_reason is not None for choice in self.choices)
