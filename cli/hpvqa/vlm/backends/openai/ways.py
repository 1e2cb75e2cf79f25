"""Which of the ways to an answer a server has."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from hpvqa.scene.spec import Side
from hpvqa.vlm.backends.openai.address import root_of
from hpvqa.vlm.backends.openai.api import Api
from hpvqa.vlm.backends.openai.failures import IncompleteError, RequestError
from hpvqa.vlm.backends.openai.packing import Sent
from hpvqa.vlm.backends.openai.replies import Text, Tokenized
from hpvqa.vlm.backends.openai.scores import Chat, Exact, FirstTokens, Spoken, Way, continued, thinks
from hpvqa.vlm.backends.openai.served import Served
from hpvqa.vlm.options import ServerOptions
from hpvqa.vlm.prompt import CHOICES
from hpvqa.vlm.scoring import Candidates, Tokens

REFUSED = {400, 422}
"""Status codes of a request that the server understands and does not take."""
_TOP = (20, 5)
"""How many tokens to ask for: the most that the interface has, and what stricter servers give."""


async def find_way(
    api: Api, chat: Chat, served: Served, options: ServerOptions, sent: Sent, tell: Callable[[str], None]
) -> Way:
    """Choose the most exact way to an answer that a server has.

    Args:
        api: The connection.
        chat: Asks the model.
        served: What the server has.
        options: What the user wants.
        sent: A query to try it with.
        tell: Takes what the user should know, now or during later answers.

    Raises:
        RequestError: It does not answer, for now, or thinks for longer than it may speak.
    """
    spoken = Spoken(options.max_new_tokens, once(tell))
    if options.scoring == "generate":
        return await _heard(spoken, chat, sent)
    if served.kind == "vllm":
        exact = await _exact(api, chat, served, sent)
        if exact is not None:
            return exact
        tell("The server cannot tell how likely each whole word is, so they are looked for among the likeliest tokens")
    for top in _TOP:
        try:
            reply = await chat(sent, max_tokens=1, logprobs=True, top_logprobs=top)
        except RequestError as error:
            # Some servers fail over what they do not have; that they answer at all is known by now.
            lacks = isinstance(error, IncompleteError) or error.status in REFUSED or "logprob" in error.said
            if not lacks:
                raise
        else:
            if thinks(reply):
                tell("The model thinks before it answers, so it speaks and its words are read (--scoring generate)")
                return await _heard(spoken, chat, sent)
            if reply.first:
                return FirstTokens(top, spoken)
    tell("The server gives no log-probabilities, so the model speaks and its words are read (--scoring generate)")
    return await _heard(spoken, chat, sent)


async def _heard(spoken: Spoken, chat: Chat, sent: Sent) -> Spoken:
    """The model's words, if it says any: one that thinks for too long does so with all queries."""
    await spoken.answer(chat, sent, CHOICES)
    return spoken


def once(tell: Callable[[str], None]) -> Callable[[str], None]:
    """Tells no sentence twice."""
    told = set[str]()

    def tell_once(sentence: str) -> None:
        if sentence not in told:
            told.add(sentence)
            tell(sentence)

    return tell_once


async def _exact(api: Api, chat: Chat, served: Served, sent: Sent) -> Way | None:
    """A way that vLLM has beyond the interface; None if this one does not have it."""
    try:
        ids = {word: await _tokens(api, served, word) for word in CHOICES}
        prefixes = [step.prefix for step in Candidates(CHOICES, tuple(ids.values())).steps if step.prefix]
        way = Exact(ids, await _begun(api, chat, served, sent, prefixes) if prefixes else {})
        await way.answer(chat, sent, CHOICES)
    except RequestError as error:
        if isinstance(error, IncompleteError) or error.status in REFUSED | {404}:
            return None
        raise
    return way


async def _tokens(api: Api, served: Served, word: Side) -> Tokens:
    body = {"model": served.model, "prompt": word, "add_special_tokens": False}
    return tuple((await api.post(f"{root_of(api.url)}/tokenize", body, Tokenized)).tokens)


async def _begun(api: Api, chat: Chat, served: Served, sent: Sent, prefixes: Sequence[Tokens]) -> dict[Tokens, str]:
    """The model's turn up to each of several beginnings of an answer.

    Raises:
        IncompleteError: The server's chat template or its tokenizer makes other tokens of them.
    """
    fields = {"max_tokens": 1, "return_token_ids": True, "return_prompt_text": True}
    asked = await chat(sent, **fields)
    # What a template puts before an answer that is to come, but not before one that is there: mostly closed thoughts.
    some = CHOICES[0]
    there = await chat(continued(sent, some), **fields)
    lead = (asked.prompt_text or "").removeprefix((there.prompt_text or "").removesuffix(some))
    begun = {}
    for prefix in prefixes:
        body = {"model": served.model, "tokens": list(prefix)}
        begun[prefix] = lead + (await api.post(f"{root_of(api.url)}/detokenize", body, Text)).prompt
        reply = await chat(continued(sent, begun[prefix]), **fields)
        if reply.prompt_token_ids != [*asked.prompt_token_ids, *prefix]:
            raise IncompleteError("The server does not let a model go on with an answer just as it would begin it")
    return begun
