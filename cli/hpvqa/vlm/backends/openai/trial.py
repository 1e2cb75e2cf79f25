"""One small query before all others: what a server takes, how it can answer, and whether it keeps all frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from hpvqa.errors import RunError
from hpvqa.scene.spec import Side
from hpvqa.vlm.backends.openai.api import Api, root_of
from hpvqa.vlm.backends.openai.dialect import Conversation
from hpvqa.vlm.backends.openai.drawn import Drawn, draws_together
from hpvqa.vlm.backends.openai.failures import IncompleteError, RequestError
from hpvqa.vlm.backends.openai.packing import Packing, Sent
from hpvqa.vlm.backends.openai.replies import ChatReply, Text, Tokenized
from hpvqa.vlm.backends.openai.scores import (
    SHORTEST,
    AnswerMethod,
    Chat,
    Exact,
    FirstTokens,
    Spoken,
    continued,
    thinks,
)
from hpvqa.vlm.backends.openai.served import Served
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import ServerOptions
from hpvqa.vlm.prompt import CHOICES
from hpvqa.vlm.protocol import Query, Resampling
from hpvqa.vlm.scoring import Candidates, Tokens
from hpvqa.vlm.thoughts import begun

_COUNT = 13
"""Frames of the query: neither so many nor half so many are what a server makes of them that leaves some out."""
_FAST, _SLOW = 30.0, 2.0
"""Frame rates of the query [1/s]. A server that is told to keep all frames does so at a rate at which models would
leave some out; one that is not told may at least do so at the rate that most of them sample at."""
REFUSED = {400, 422}
"""Status codes of a request that the server understands and does not take."""
_TOP = (20, 5)
"""How many tokens to ask for: the most that the interface has, and what stricter servers give."""


@dataclass(frozen=True)
class ServerSetup:
    """How a server is asked, as was found out.

    Attributes:
        packing: How queries are sent.
        method: How it is found which word is the answer.
        spoken: How numbers are found.
        resampling: Whether it keeps all frames.
        frames_each: How many frames make one stretch of video tokens, so that those of each query can be
            counted; None where the replies do not show it.
    """

    packing: Packing
    method: AnswerMethod
    spoken: Spoken | Drawn
    resampling: Resampling
    frames_each: int | None


async def try_out(
    chat: Conversation,
    served: Served,
    options: ServerOptions,
    put: Callable[[bytes], str] | None,
    tell: Callable[[str], None],
    words: Sequence[Side],
) -> ServerSetup:
    """Find out how to ask a server.

    Args:
        chat: Asks the model; how requests are put is found out, too.
        served: What the server has.
        options: What the user wants.
        put: With the transport ``file``: writes a video and returns its address.
        tell: Takes what the user should know.
        words: All words that queries will choose from.

    Raises:
        RunError: It does not answer such queries at all, its model cannot be kept from thinking, or it cannot tell how
            likely such short words are.
    """
    packing, reply = await _first(chat, served, options, put)
    mark = begun(reply.prompt_text or "")
    if mark and options.thinking is None:
        raise RunError(
            f"The chat template of {served.model} begins the answer with {mark} although thinking is turned off, so "
            "the next word would be no answer; let it think (--thinking 4096), or take a model that does not"
        )
    if chat.dialect.temperature != 0 and options.scoring != "sample":
        tell("The server does not take temperature 0, so it draws, and may answer the same query differently")
    sent = packing.pack(_query(packing))
    found = stretches(reply.prompt_token_ids)
    # Most models turn one frame, or two, into one stretch of tokens; some turn a whole video into one.
    frames_each = next((n for n in (1, 2) if sent.frames and found == expected(sent.frames, n)), None)
    resampling: Resampling = "none" if frames_each or packing.transport == "images" else "unknown"
    if resampling == "unknown":
        tell(
            "The server may leave out frames that it is sent, so this run is marked: resampling unknown. --transport "
            "images sends each frame by itself; vLLM leaves none out if it is started with --trust-request-mm-kwargs"
        )
    spoken = Spoken(options.longest, once(tell), options.thinking is not None, mark)
    method = await find_method(chat.api, chat, served, options, spoken, sent, tell, words)
    aloud = method if isinstance(method, Drawn) else spoken
    return ServerSetup(packing, method, aloud, resampling, frames_each)


async def _first(
    chat: Conversation, served: Served, options: ServerOptions, put: Callable[[bytes], str] | None
) -> tuple[Packing, ChatReply]:
    template: dict[str, Any] = {}
    if served.kind != "other":
        thinking = options.thinking is not None
        own = served.family.template_options(thinking=thinking) if served.family else {"enable_thinking": thinking}
        template = dict(own)
    plain = Packing(options.transport, served.family, template=template, put=put)
    ids = {"return_token_ids": True, "return_prompt_text": True} if served.kind == "vllm" else {}
    packings = [plain]
    if served.kind == "vllm" and options.transport != "images":
        packings.insert(0, replace(plain, keep_frames=True, times=served.takes_times))
    for packing in packings:
        try:
            return packing, await _put(chat, packing.pack(_query(packing)), ids)
        except RequestError as error:
            if error.status not in REFUSED:
                raise
            # What is told is taken only from clients that whoever started the server trusts.
            if packing is plain or "kwargs" not in error.said:
                if options.transport != "images" and "video" in error.said.lower():
                    raise RunError(
                        f"{error}; take another --transport: --transport images sends pictures, which more servers take"
                    ) from None
                raise RunError(f"{error}; perhaps another --transport suits it") from None
    raise AssertionError  # The last one has returned or raised.


async def _put(chat: Conversation, sent: Sent, fields: Mapping[str, Any]) -> ChatReply:
    """A reply to a query, put as the server wants it; how that is, it says as it refuses."""
    while True:
        try:
            return await chat(sent, max_tokens=1, **fields)
        except RequestError as error:
            dialect = chat.dialect.after(error.said) if error.status in REFUSED else None
            if dialect is None:
                raise
            chat.dialect = dialect


def _query(packing: Packing) -> Query:
    width, height = (64, 64) if packing.family is None else packing.family.resolution
    fps = _FAST if packing.keep_frames else _SLOW
    # Some servers take only so many pictures.
    count = 2 if packing.transport == "images" else _COUNT
    images = np.broadcast_to(np.linspace(20, 220, width)[:, None], (count, height, width, 3)).astype(np.uint8)
    return Query(
        key="trial",
        task="trial",
        clip=Path("trial.mp4"),
        fps=fps,
        frames=count,
        camera=None,
        question="",
        system="",
        text="Answer with one word: left or right.",
        choices=CHOICES,
        episode=Path("trial"),
        videos=(Frames(images, tuple(range(count)), fps, count),),
    )


def stretches(prompt: Sequence[int]) -> int:
    """How many stretches of video tokens a prompt has; what else is repeated in it is shorter.

    Args:
        prompt: Its tokens.
    """
    runs = [(token, len(list(run))) for token, run in groupby(prompt)]
    video = max(runs, key=lambda run: run[1], default=None)
    return 0 if video is None else sum(token == video[0] for token, _ in runs)


def expected(frames: Sequence[int], frames_each: int) -> int:
    """How many stretches there are if no frame is left out.

    Args:
        frames: How many frames each video has.
        frames_each: How many of them make one stretch.
    """
    return sum(-(-count // frames_each) for count in frames)


async def find_method(
    api: Api,
    chat: Chat,
    served: Served,
    options: ServerOptions,
    spoken: Spoken,
    sent: Sent,
    tell: Callable[[str], None],
    words: Sequence[Side],
) -> AnswerMethod:
    """Choose the most exact way to an answer that a server has.

    Args:
        api: The connection.
        chat: Asks the model.
        served: What the server has.
        options: What the user wants.
        spoken: How what the model says is read.
        sent: A query to try it with.
        tell: Takes what the user should know, now or during later answers.
        words: All words that queries will choose from.

    Raises:
        RequestError: It does not answer, for now, or thinks for longer than it may speak.
        RunError: It cannot tell how likely such short words are.
    """
    if options.scoring == "sample":
        return Drawn(spoken, options.samples, await draws_together(chat, sent, REFUSED))
    if options.scoring == "generate":
        return await _heard(spoken, chat, sent)
    if served.kind == "vllm":
        exact = await _exact(api, chat, served, sent, words)
        if exact is not None:
            return exact
    if min(map(len, words)) < SHORTEST:
        # A token of one letter may begin any word.
        raise RunError("The server cannot tell how likely a single letter is as a reply; use --scoring generate")
    if served.kind == "vllm":
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
    tell(
        "The server gives no log-probabilities, so the model speaks and its words are read (--scoring generate); "
        "--scoring sample has it speak several times, and counts"
    )
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


async def _exact(api: Api, chat: Chat, served: Served, sent: Sent, words: Sequence[Side]) -> AnswerMethod | None:
    """A way that vLLM has beyond the interface; None if this one does not have it."""
    try:
        ids = {word: await _tokens(api, served, word) for word in words}
        prefixes = [step.prefix for step in Candidates(tuple(words), tuple(ids.values())).steps if step.prefix]
        method = Exact(ids, await _begun(api, chat, served, sent, prefixes) if prefixes else {})
        await method.answer(chat, sent, words)
    except RequestError as error:
        if isinstance(error, IncompleteError) or error.status in REFUSED | {404}:
            return None
        raise
    return method


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
