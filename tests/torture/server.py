"""Hostile replies of a server: those that the tests know, and changes of proper ones."""

from __future__ import annotations

import json
import random
from collections.abc import Callable

from hpvqa.errors import HpvqaError
from hpvqa.vlm.protocol import Answer
from tests.openai_client import Loaded, bright
from tests.raw_server import Raw, Write, send
from tests.test_openai_hostile import GOOD, HOSTILE, STREAMS, dripping, mutated, raw
from tests.tiny_models import make_query
from tests.torture.fuzz import Fuzzed, guarded

NAME = "replies of a server"
TIMEOUT = 0.5
"""How long the client waits for a reply [s]; what drips is given up after a multiple of it."""
_HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
_PIECES = ({"delta": {"role": "assistant"}}, {"delta": {"content": "le"}}, {"delta": {"content": "ft"}})
SPOKEN = "".join(
    f"data: {json.dumps({'choices': [choice]})}\n\n" for choice in (*_PIECES, {"delta": {}, "finish_reason": "stop"})
)
"""A proper stream."""


def replies(inputs: int, seed: int) -> Fuzzed:
    """Ask a server that replies with all that the tests know, and with changed replies and streams."""
    result = Fuzzed(NAME)
    # A quarter of the changes is made in streams.
    rng = random.Random(seed)  # noqa: S311 - no secret
    listened = Loaded()
    try:
        with Raw() as server:
            ask = listened(server, retries=0, timeout=TIMEOUT)
            query = make_query(bright(200))

            def say(text: str) -> None:
                text.encode()

            def one(write: Write, call: Callable[[], Answer]) -> None:
                server.write = write
                result.note(guarded(lambda: _checked(call())))

            for write, _ in HOSTILE.values():
                one(write, lambda: ask.answer([query])[0])
            for begin, drop, _ in STREAMS.values():
                one(dripping(_HEAD + begin, drop) if drop else raw(_HEAD + begin), lambda: ask.speak(query, say))
            for _ in range(inputs - len(HOSTILE) - len(STREAMS)):
                if rng.random() < 0.25:
                    one(raw(_HEAD + mutated(SPOKEN, rng)), lambda: ask.speak(query, say))
                else:
                    one(send(mutated(GOOD, rng), rng.choice([200, 200, 200, 400, 500])), lambda: ask.answer([query])[0])
    finally:
        listened.close()
    return result


def _checked(answer: Answer) -> None:
    """An answer is whole and can be written down, or is an error in one printable sentence."""
    text = json.dumps({"text": answer.text, "logprobs": answer.logprobs}, allow_nan=False)
    text.encode()
    if answer.error is None:
        return
    if answer.choice is not None:
        raise AssertionError("an answer and an error at once")
    if not answer.error.isprintable() or len(answer.error) > 1000:
        raise AssertionError(f"an error that is no sentence: {answer.error[:80]!r}")
    raise HpvqaError(answer.error)
