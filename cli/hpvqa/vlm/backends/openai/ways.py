"""Which of the ways to an answer a server has."""

from __future__ import annotations

from collections.abc import Callable

from hpvqa.scene.spec import Side
from hpvqa.vlm.backends.openai.address import root_of
from hpvqa.vlm.backends.openai.api import Api, IncompleteError, RequestError
from hpvqa.vlm.backends.openai.packing import Sent
from hpvqa.vlm.backends.openai.replies import Tokens
from hpvqa.vlm.backends.openai.scores import Chat, FirstTokens, Ids, Spoken, Way, WholeWords, WordTokens, continued
from hpvqa.vlm.backends.openai.served import Served
from hpvqa.vlm.options import ServerOptions
from hpvqa.vlm.prompt import CHOICES

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
        tell: Told if there are no log-probabilities.

    Raises:
        RequestError: It does not answer, for now.
    """
    spoken = Spoken(options.max_new_tokens)
    if options.scoring == "generate":
        return spoken
    if served.kind == "vllm":
        exact = await _exact(api, chat, served, sent)
        if exact is not None:
            return exact
    for top in _TOP:
        try:
            reply = await chat(sent, max_tokens=1, logprobs=True, top_logprobs=top)
        except RequestError as error:
            if error.status not in REFUSED:
                raise
        else:
            if reply.first:
                return FirstTokens(top, spoken)
    tell("The server gives no log-probabilities, so the model speaks and its words are read (--scoring generate)")
    return spoken


async def _exact(api: Api, chat: Chat, served: Served, sent: Sent) -> Way | None:
    """A way that vLLM has beyond the interface; None if this one does not have it."""
    try:
        ids = {word: await _tokens(api, served, word) for word in CHOICES}
        way: Way
        if all(len(tokens) == 1 for tokens in ids.values()) and len(set(ids.values())) == len(ids):
            way = WordTokens({word: tokens[0] for word, tokens in ids.items()})
        else:
            way = WholeWords(ids, await _lead(chat, sent, ids))
        await way.answer(chat, sent, CHOICES)
    except RequestError as error:
        if isinstance(error, IncompleteError) or error.status in REFUSED | {404}:
            return None
        raise
    return way


async def _tokens(api: Api, served: Served, word: Side) -> Ids:
    body = {"model": served.model, "prompt": word, "add_special_tokens": False}
    return tuple((await api.post(f"{root_of(api.url)}/tokenize", body, Tokens)).tokens)


async def _lead(chat: Chat, sent: Sent, ids: dict[Side, Ids]) -> str:
    """What a template puts before an answer that is to come, but not before one that is there: mostly closed thoughts.

    Raises:
        IncompleteError: The words cannot be put just behind the prompt.
    """
    fields = {"max_tokens": 1, "return_token_ids": True, "return_prompt_text": True}
    asked = await chat(sent, **fields)
    word = CHOICES[0]
    begun = await chat(continued(sent, word), **fields)
    before = (begun.prompt_text or "").removesuffix(word)
    lead = (asked.prompt_text or "").removeprefix(before)
    for choice in CHOICES:
        both = await chat(continued(sent, lead + choice), **fields)
        if both.prompt_token_ids != [*(asked.prompt_token_ids or ()), *ids[choice]]:
            raise IncompleteError("The server's chat template does not let an answer be put behind the prompt")
    return lead
