"""From a server's replies to an answer: what was said, or how likely each word is among the tokens that it lists."""

from __future__ import annotations

import math
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from operator import itemgetter
from typing import Protocol

from hpvqa.scene.spec import Side
from hpvqa.vlm.backends.openai.failures import IncompleteError
from hpvqa.vlm.backends.openai.packing import Sent
from hpvqa.vlm.backends.openai.replies import ROUNDING, ChatReply
from hpvqa.vlm.protocol import Answer
from hpvqa.vlm.scoring import Candidates, Tokens, likeliest
from hpvqa.vlm.strict import begins_with_choice, parse_choice, parse_value
from hpvqa.vlm.thoughts import cut_off, is_thought, spoken

Chat = Callable[..., Awaitable[ChatReply]]
"""``chat(sent, **fields)``: what the model replies to a query, with further fields in the request."""
_BLANKS = str.maketrans({"Ġ": " ", "▁": " ", "Ċ": "\n"})
"""How some tokenizers write a space or the end of a line, which servers may not translate back."""
SHORTEST = 2
"""Letters of a token that tells which word it begins; with a single one, any word may begin."""


class AnswerMethod(Protocol):
    """One of the ways to an answer."""

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
        most: The longest answer, with the thoughts that it may begin with [tokens].
        tell: Takes what the user should know.
        thinking: Whether the model shall think first.
        begun: The mark of a thought that the prompt ends with; empty if it ends with none.
    """

    most: int
    tell: Callable[[str], None]
    thinking: bool = False
    begun: str = ""
    name = "text"

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """One request.

        Raises:
            IncompleteError: The model said nothing, as while it still thinks.
        """
        return self.choice(await chat(sent, max_tokens=self.most), choices)

    def choice(self, reply: ChatReply, choices: Sequence[Side]) -> Answer:
        """Which word a reply names.

        Raises:
            IncompleteError: As above.
        """
        text, said, cut = self._said(reply)
        if cut and said is not None and not begins_with_choice(said, choices):
            self._tell_cut("neither word")
        return _read(reply, text, choice=parse_choice(text, choices, cut=cut))

    async def number(self, chat: Chat, sent: Sent, unit: str) -> Answer:
        """One request, for a number in a unit.

        Raises:
            IncompleteError: The model said nothing, as while it still thinks.
        """
        return self.value(await chat(sent, max_tokens=self.most), unit)

    def value(self, reply: ChatReply, unit: str) -> Answer:
        """Which number a reply consists of.

        Raises:
            IncompleteError: As above.
        """
        text, said, cut = self._said(reply)
        if cut and said is not None:
            self._tell_cut("no number")
        return _read(reply, text, value=parse_value(text, unit, cut=cut))

    def _said(self, reply: ChatReply) -> tuple[str, str | None, bool]:
        """What was said, what of it is no thought (None if all is), and whether more would have been said."""
        # Where the server tells thoughts apart, what is left has no part of them.
        text, cut = ("" if reply.thinks else self.begun) + reply.text, reply.ended == "length"
        said = spoken(text)
        if said is None or (not said.strip() and (cut or reply.thinks)):
            if not self.thinking:
                raise IncompleteError(nothing_within(self.most))
            # The model was given its time: this is what it makes of it.
            if cut:
                self.tell(cut_off(self.most))
            return text, None, cut
        if reply.silent:
            raise IncompleteError(f"The server sent no text (it ended with {str(reply.ended)[:40]!r})")
        return text, said, cut

    def _tell_cut(self, counts_as: str) -> None:
        self.tell(
            f"An answer was cut off after {self.most} tokens; what it would have been is not known, so it counts as "
            f"{counts_as}; raise --max-new-tokens"
        )


def _read(reply: ChatReply, text: str, *, choice: Side | None = None, value: float | None = None) -> Answer:
    return Answer(
        choice=choice,
        value=value,
        text=text,
        prompt_tokens=reply.prompt_tokens,
        answer_tokens=reply.answer_tokens,
    )


@dataclass(frozen=True)
class FirstTokens:
    """The likeliest first tokens, found by their text; the interface of OpenAI has no more than these.

    A word that the model splits counts by its first token, if no other word begins so.

    Attributes:
        top: How many tokens the server lists.
        spoken: What to do where they do not tell which word it is.
    """

    top: int
    spoken: Spoken
    name = "first tokens"

    async def answer(self, chat: Chat, sent: Sent, choices: Sequence[Side]) -> Answer:
        """One request, or two."""
        reply = await chat(sent, max_tokens=1, logprobs=True, top_logprobs=self.top)
        tokens = reply.first
        found = by_text(tokens, choices)
        complete = len(found) == len(choices)
        # A word that is not listed is less likely than all that is; how likely, nobody knows. If the model would rather
        # begin with something else than a word, a word that is listed far down tells nothing of the other one.
        if thinks(reply) or not (complete or found.keys() & by_text(likeliest_of(tokens), choices).keys()):
            return await self.spoken.answer(chat, sent, choices)
        choice = likeliest(found, [word for word in choices if word in found])
        return _scored(choice, found if complete else None, reply)


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


def nothing_within(tokens: int) -> str:
    """What to say of a model that was given so many tokens to speak, and used them up in silence or in thought."""
    return (
        f"The model said nothing within {tokens} tokens, as models do that think first; raise --max-new-tokens (such "
        "as 4096), or take a model that does not think"
    )


def thinks(reply: ChatReply) -> bool:
    """Whether the model begins with thoughts, so that its first token is no answer."""
    return reply.thinks or any(map(is_thought, (reply.text, *likeliest_of(reply.first))))


def likeliest_of(tokens: Mapping[str, float]) -> dict[str, float]:
    """The likeliest token alone; none of none."""
    return dict([max(tokens.items(), key=itemgetter(1))]) if tokens else {}


def continued(sent: Sent, text: str) -> Sent:
    """The same query, where the model has begun to answer."""
    fields = {**sent.fields, "add_generation_prompt": False, "continue_final_message": True}
    return replace(sent, messages=[*sent.messages, {"role": "assistant", "content": text}], fields=fields)


def _scored(choice: Side, logprobs: Mapping[Side, float] | None, reply: ChatReply) -> Answer:
    if logprobs is not None and math.fsum(map(math.exp, logprobs.values())) > 1 + ROUNDING:
        raise IncompleteError("The server's probabilities of the words add up to more than 1, so they are none")
    return Answer(choice, reply.text, logprobs, prompt_tokens=reply.prompt_tokens, answer_tokens=reply.answer_tokens)


def word_of(token: str) -> str:
    """A token as a word: without the spaces around it, in lower case."""
    return token.translate(_BLANKS).strip().lower()


def by_text(tokens: Mapping[str, float], choices: Sequence[Side]) -> dict[Side, float]:
    """The log-probability of each word that is listed, in whatever way it is written.

    A word may be several tokens, such as ``left``, `` left`` and ``Left``: it has all their probability. If none of the
    words is listed, the model may split them; then what counts are the longest tokens with which only one word begins.

    Args:
        tokens: Tokens that could come first, and their log-probabilities.
        choices: The words.
    """
    listed: dict[str, list[float]] = {}
    for token, logprob in tokens.items():
        listed.setdefault(word_of(token), []).append(logprob)
    whole = {word: _sum(listed[word]) for word in choices if word in listed}
    if whole:
        return whole
    found: dict[Side, float] = {}
    for word in choices:
        others = [other for other in choices if other != word]
        begun = [
            text
            for text in listed
            if len(text) >= SHORTEST and word.startswith(text) and not any(other.startswith(text) for other in others)
        ]
        if begun:
            found[word] = _sum(listed[max(begun, key=len)])
    return found


def _sum(logprobs: Sequence[float]) -> float:
    """The logarithm of the sum of probabilities."""
    most = max(logprobs)
    return most + math.log(math.fsum(math.exp(value - most) for value in logprobs))
