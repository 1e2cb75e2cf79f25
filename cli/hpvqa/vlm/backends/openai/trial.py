"""One small query before all others: what a server takes, what it gives, and whether it keeps all frames."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np

from hpvqa.errors import RunError
from hpvqa.vlm.backends.openai.dialect import Conversation
from hpvqa.vlm.backends.openai.failures import RequestError
from hpvqa.vlm.backends.openai.packing import Packing, Sent
from hpvqa.vlm.backends.openai.replies import Reply
from hpvqa.vlm.backends.openai.scores import Way
from hpvqa.vlm.backends.openai.served import Served
from hpvqa.vlm.backends.openai.ways import REFUSED, find_way
from hpvqa.vlm.frames.clip import Frames
from hpvqa.vlm.options import ServerOptions
from hpvqa.vlm.prompt import CHOICES
from hpvqa.vlm.protocol import Query, Resampling

_COUNT = 13
"""Frames of the query: neither so many nor half so many are what a server makes of them that leaves some out."""
_FAST, _SLOW = 30.0, 2.0
"""Frame rates of the query [1/s]. A server that is told to keep all frames does so at a rate at which models would
leave some out; one that is not told may at least do so at the rate that most of them sample at."""


@dataclass(frozen=True)
class Manner:
    """How to deal with a server.

    Attributes:
        packing: How queries are sent.
        way: How answers are found.
        resampling: Whether it keeps all frames.
        each: How many frames make one stretch of video tokens, so that those of each query can be counted; None where
            the replies do not show it.
    """

    packing: Packing
    way: Way
    resampling: Resampling
    each: int | None


async def try_out(
    chat: Conversation,
    served: Served,
    options: ServerOptions,
    put: Callable[[bytes], str] | None,
    tell: Callable[[str], None],
) -> Manner:
    """Find out how to deal with a server.

    Args:
        chat: Asks the model; how requests are put is found out, too.
        served: What the server has.
        options: What the user wants.
        put: With the transport ``file``: writes a video and returns its address.
        tell: Takes what the user should know.

    Raises:
        RunError: It does not answer such queries at all, or its model cannot be kept from thinking.
    """
    packing, reply = await _first(chat, served, options, put)
    if reply.prompt_text is not None and reply.prompt_text.rfind("<think>") > reply.prompt_text.rfind("</think>"):
        raise RunError(
            f"The chat template of {served.model} begins the answer with <think> although thinking is turned off, so "
            "the next word would be no answer; take a model that does not think"
        )
    if chat.dialect.temperature != 0:
        tell("The server does not take temperature 0, so it draws, and may answer the same query differently")
    sent = packing.pack(_query(packing))
    found = stretches(reply.prompt_token_ids)
    # Most models turn one frame, or two, into one stretch of tokens; some turn a whole video into one.
    each = next((each for each in (1, 2) if sent.frames and found == expected(sent.frames, each)), None)
    resampling: Resampling = "none" if each or packing.transport == "images" else "unknown"
    if resampling == "unknown":
        tell(
            "The server may leave out frames that it is sent, so this run is marked: resampling unknown. --transport "
            "images sends each frame by itself; vLLM leaves none out if it is started with --trust-request-mm-kwargs"
        )
    return Manner(packing, await find_way(chat.api, chat, served, options, sent, tell), resampling, each)


async def _first(
    chat: Conversation, served: Served, options: ServerOptions, put: Callable[[bytes], str] | None
) -> tuple[Packing, Reply]:
    template: dict[str, Any] = {}
    if served.kind != "other":
        template = dict(served.family.chat_template_options) if served.family else {"enable_thinking": False}
    plain = Packing(options.transport, served.family, template=template, put=put)
    ids = {"return_token_ids": True, "return_prompt_text": True} if served.kind == "vllm" else {}
    ways = [plain]
    if served.kind == "vllm" and options.transport != "images":
        ways.insert(0, replace(plain, told=True, times=served.takes_times))
    for packing in ways:
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


async def _put(chat: Conversation, sent: Sent, fields: Mapping[str, Any]) -> Reply:
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
    fps = _FAST if packing.told else _SLOW
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


def expected(frames: Sequence[int], each: int) -> int:
    """How many stretches there are if no frame is left out.

    Args:
        frames: How many frames each video has.
        each: How many of them make one stretch.
    """
    return sum(-(-count // each) for count in frames)
