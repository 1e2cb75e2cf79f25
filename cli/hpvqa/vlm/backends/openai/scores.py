"""Ways to get from a server's replies to an answer."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from hpvqa.scene.spec import Side
from hpvqa.vlm.backends.openai.api import IncompleteError
from hpvqa.vlm.backends.openai.packing import Sent
from hpvqa.vlm.backends.openai.replies import Reply
from hpvqa.vlm.protocol import Answer
from hpvqa.vlm.scoring import likeliest, parse_choice

Chat = Callable[..., Awaitable[Reply]]
"""``chat(sent, **fields)``: what the model replies to a query, with further fields in the request."""
Ids = tuple[int, ...]


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
class WordTokens:
    """The exact log-probabilities of the words, each one token; vLLM gives those of any tokens.

    Attributes:
        ids: The token of each word.
    """

    ids: Mapping[Side, int]
    name = "one token each"

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """One request."""
        ids = [self.ids[word] for word in choices]
        reply = await chat(sent, max_tokens=1, logprobs=True, logprob_token_ids=ids, return_tokens_as_token_ids=True)
        found = {word: reply.first.get(f"token_id:{self.ids[word]}") for word in choices}
        logprobs = {word: value for word, value in found.items() if value is not None}
        if len(logprobs) < len(choices):
            raise IncompleteError("The server left out the log-probabilities that it was asked for")
        return _scored(likeliest(logprobs, choices), logprobs, reply)


@dataclass(frozen=True)
class WholeWords:
    """The exact log-probabilities of words of several tokens: each is put behind the prompt, which vLLM then scores.

    Attributes:
        ids: The tokens of each word.
        lead: What comes before the word in the model's turn, and the template would leave out.
    """

    ids: Mapping[Side, Ids]
    lead: str = ""
    name = "whole words"

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """One request a word."""
        logprobs: dict[Side, float] = {}
        for word in choices:
            reply = await chat(continued(sent, self.lead + word), max_tokens=1, prompt_logprobs=1)
            ids = self.ids[word]
            tokens = (reply.prompt_logprobs or [])[-len(ids) :]
            scored = [entry[token] for entry, token in zip(tokens, ids, strict=False) if entry and token in entry]
            if len(scored) < len(ids):
                raise IncompleteError("The server left out the log-probabilities of the prompt that it was asked for")
            logprobs[word] = math.fsum(token.logprob for token in scored)
        rather = next((token.decoded_token for token in (tokens[0] or {}).values() if token.rank == 1), None)
        length = None if reply.prompt_tokens is None else reply.prompt_tokens - len(ids)
        return Answer(likeliest(logprobs, choices), rather or "", logprobs, prompt_tokens=length)


def continued(sent: Sent, text: str) -> Sent:
    """The same query, where the model has begun to answer."""
    fields = {**sent.fields, "add_generation_prompt": False, "continue_final_message": True, "return_token_ids": True}
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
