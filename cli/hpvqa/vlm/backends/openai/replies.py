"""What a server replies, as far as it is read; all else is ignored."""

from __future__ import annotations

from pydantic import BaseModel, Field, FiniteFloat


class Card(BaseModel):
    """A served model.

    Attributes:
        id: The name by which it is asked for.
        owned_by: Which software serves it, or whose it is.
        root: Where vLLM has it from.
        parent: With vLLM, the model that an adapter is put on.
    """

    id: str
    owned_by: str | None = None
    root: str | None = None
    parent: str | None = None


class Cards(BaseModel):
    """``GET /models``."""

    data: list[Card]


class Version(BaseModel):
    """``GET /version`` of vLLM."""

    version: str


class Tokenized(BaseModel):
    """``POST /tokenize`` of vLLM."""

    tokens: list[int]


class Text(BaseModel):
    """``POST /detokenize`` of vLLM."""

    prompt: str


class Token(BaseModel):
    """A token and the natural logarithm of its probability."""

    token: str
    logprob: FiniteFloat


class Position(Token):
    """The token that was generated, and others that could have been."""

    top_logprobs: list[Token] = []


class Logprobs(BaseModel):
    """One entry a generated token."""

    content: list[Position] | None = None


class Message(BaseModel):
    """What was said."""

    content: str | None = None


class Said(BaseModel):
    """One of several answers; we ask for one."""

    message: Message
    logprobs: Logprobs | None = None


class Usage(BaseModel):
    """Lengths in tokens."""

    prompt_tokens: int | None = None
    completion_tokens: int | None = None


class Reply(BaseModel):
    """``POST /chat/completions``; the last two only with vLLM, and only where asked for."""

    choices: list[Said] = Field(min_length=1)
    usage: Usage | None = None
    prompt_token_ids: list[int] | None = None
    prompt_text: str | None = None

    @property
    def text(self) -> str:
        """What was said."""
        return self.choices[0].message.content or ""

    @property
    def first(self) -> dict[str, float]:
        """The tokens that could have come first, and their log-probabilities; empty if the server gives none."""
        logprobs = self.choices[0].logprobs
        if logprobs is None or not logprobs.content:
            return {}
        position = logprobs.content[0]
        return {token.token: token.logprob for token in (position, *position.top_logprobs)}

    @property
    def prompt_tokens(self) -> int | None:
        """Length of the prompt."""
        return None if self.usage is None else self.usage.prompt_tokens

    @property
    def answer_tokens(self) -> int | None:
        """How many tokens were generated."""
        return None if self.usage is None else self.usage.completion_tokens


class Delta(BaseModel):
    """What was said since the last piece."""

    delta: Message


class Piece(BaseModel):
    """One of the pieces of a reply that comes while the model speaks."""

    choices: list[Delta] = []

    @property
    def text(self) -> str:
        """What was said."""
        return (self.choices[0].delta.content or "") if self.choices else ""
