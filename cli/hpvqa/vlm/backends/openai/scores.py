"""Ways to get from a server's replies to an answer."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Protocol

from hpvqa.scene.spec import Side
from hpvqa.vlm.backends.openai.api import IncompleteError
from hpvqa.vlm.backends.openai.packing import Sent
from hpvqa.vlm.backends.openai.replies import Reply
from hpvqa.vlm.protocol import Answer
from hpvqa.vlm.scoring import Candidates, Tokens, likeliest, parse_choice

Chat = Callable[..., Awaitable[Reply]]
"""``chat(sent, **fields)``: what the model replies to a query, with further fields in the request."""


class Way(Protocol):
    """One of the ways."""

    @property
    def name(self) -> str:
        """What ``run.json`` says."""

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """Ask.

        Raises:
            RequestError: There is no answer.
        """


@dataclass(frozen=True)
class Spoken:
    """The model speaks, and its words are read.

    Attributes:
        most: The longest answer [tokens].
    """

    most: int
    name = "text"

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """One request."""
        reply = await chat(sent, max_tokens=self.most)
        return Answer(
            choice=parse_choice(reply.text, choices),
            text=reply.text,
            prompt_tokens=reply.prompt_tokens,
            answer_tokens=reply.answer_tokens,
        )


@dataclass(frozen=True)
class FirstTokens:
    """The likeliest first tokens, found by their text; the interface of OpenAI has no more than these.

    A word that the model splits counts by its first token, if no other word begins so.

    Attributes:
        top: How many tokens the server lists.
        spoken: What to do where none of the words is among them.
    """

    top: int
    spoken: Spoken
    name = "first tokens"

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """One request, or two."""
        reply = await chat(sent, max_tokens=1, logprobs=True, top_logprobs=self.top)
        found = by_text(reply.first, choices)
        if not found:
            return await self.spoken.answer(chat, sent, choices)
        # One that is not listed is less likely than those that are; how likely, nobody knows.
        choice = likeliest(found, [word for word in choices if word in found])
        complete = found if len(found) == len(choices) else None
        return _scored(choice, complete, reply)


@dataclass(frozen=True)
class Exact:
    """The exact log-probabilities of the words, token by token; vLLM gives those of any tokens.

    It could also score all tokens of a prompt at once, but vLLM 0.32 crashes over that if it serves adapters on a CPU.

    Attributes:
        ids: The tokens of each word.
        begun: For each beginning of a word, in tokens, the model's turn up to there.
    """

    ids: Mapping[Side, Tokens]
    begun: Mapping[Tokens, str] = field(default_factory=dict)

    @property
    def name(self) -> str:
        """What ``run.json`` says."""
        return "whole words" if self.begun else "one token each"

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """One request, and one more for each beginning of a word."""
        asked = Candidates(tuple(choices), tuple(self.ids[word] for word in choices))
        replies = []
        for step in asked.steps:
            query = continued(sent, self.begun[step.prefix]) if step.prefix else sent
            fields = {"logprob_token_ids": list(step.following), "return_tokens_as_token_ids": True}
            replies.append(await chat(query, max_tokens=1, logprobs=True, **fields))
        try:
            found = [
                [reply.first[f"token_id:{token}"] for token in step.following]
                for step, reply in zip(asked.steps, replies, strict=True)
            ]
        except KeyError:
            raise IncompleteError("The server left out log-probabilities that it was asked for") from None
        logprobs = asked.logprobs(found)
        return _scored(likeliest(logprobs, choices), logprobs, replies[0])


def continued(sent: Sent, text: str) -> Sent:
    """The same query, where the model has begun to answer."""
    fields = {**sent.fields, "add_generation_prompt": False, "continue_final_message": True}
    return replace(sent, messages=[*sent.messages, {"role": "assistant", "content": text}], fields=fields)


def by_text(tokens: Mapping[str, float], choices: Sequence[Side]) -> dict[Side, float]:
    """The log-probability of each word that is listed, or of the longest token with which only this word begins.

    Args:
        tokens: Tokens that could come first, and their log-probabilities.
        choices: The words.
    """
    found: dict[Side, float] = {}
    for word in choices:
        others = [other for other in choices if other != word]
        begin = [
            token
            for token in tokens
            if token == word
            or (token and word.startswith(token) and not any(other.startswith(token) for other in others))
        ]
        if begin:
            found[word] = tokens[max(begin, key=len)]
    return found


def _scored(choice: Side, logprobs: Mapping[Side, float] | None, reply: Reply) -> Answer:
    return Answer(choice, reply.text, logprobs, prompt_tokens=reply.prompt_tokens, answer_tokens=reply.answer_tokens)
