"""Servers that mean harm, or are broken: each reply ends in an answer or in a sentence, soon, and in little memory."""

from __future__ import annotations

import gzip
import json
import random
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from hpvqa.errors import HpvqaError
from hpvqa.vlm.backends.openai import OpenAIAnswerer
from hpvqa.vlm.backends.openai.wire import MOST
from hpvqa.vlm.protocol import Answer
from tests.openai_client import Loaded, bright, load, waits
from tests.raw_server import Raw, Write, listed, said, send
from tests.tiny_models import make_query

__all__ = ["load", "waits"]

PATIENCE = 60.0
"""What takes longer hangs [s]."""
SHORT = 0.8
"""How long is waited for what never comes [s]; on a busy machine the stand-in itself may need a good part of it."""
GOOD = json.dumps(said("left", listed(left=-0.2, right=-2.0)))


def in_time(function: Callable[[], Any]) -> Any:
    """What a function returns; it must end."""
    found: list[Any] = []
    thread = threading.Thread(target=lambda: found.append(function()), daemon=True)
    thread.start()
    thread.join(PATIENCE)
    assert found, "it hangs, or has raised"
    return found[0]


def asked(answerer: OpenAIAnswerer) -> list[Answer] | HpvqaError:
    try:
        return answerer.answer([make_query(bright(200))])
    except HpvqaError as error:
        return error


def dripping(begin: bytes, drop: bytes) -> Write:
    """A reply that comes to no end, though something always comes."""

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(begin)
        for _ in range(2000):
            handler.wfile.write(drop)
            handler.wfile.flush()
            time.sleep(0.02)

    return write


def raw(data: bytes) -> Write:
    return lambda handler: handler.wfile.write(data) and None


def wide(value: str, count: int = 1_000_000) -> str:
    return f"[{','.join([value] * count)}]"


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
HUGE = "9" * 400
HOSTILE: dict[str, tuple[Write, str]] = {
    "a bomb": (send(gzip.compress(bytes(9 * MOST), 1), headers={"Content-Encoding": "gzip"}), "longer than 8 MiB"),
    "a bomb in a bomb": (
        send(gzip.compress(gzip.compress(bytes(9 * MOST))), headers={"Content-Encoding": "gzip, gzip"}),
        "not encoded as it was asked",
    ),
    "too long": (send(b" " * (MOST + 1)), "longer than 8 MiB"),
    "no end": (dripping(HEAD + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\n \r\n"), "was not done with its answer"),
    "no end of headers": (dripping(HEAD, b"X: y\r\n"), "was not done with its answer"),
    "no begin": (dripping(b"", b""), "did not answer within"),
    "headers without end": (raw(HEAD + b"X: " + b"y" * 500_000), "cannot be reached"),
    "damaged": (send(b"\x1f\x8b\x08garbage", headers={"Content-Encoding": "gzip"}), "not encoded as it says"),
    "another encoding": (send(GOOD, headers={"Content-Encoding": "br"}), "not encoded as it was asked"),
    "no HTTP": (raw(b"\x00\xffSSH-2.0-OpenSSH\r\n"), "cannot be reached"),
    "nothing": (raw(b""), "cannot be reached"),
    "half": (raw(HEAD + b"Content-Length: 500\r\n\r\n" + GOOD.encode()[:40]), "cannot be reached"),
    "empty": (send(""), "no JSON"),
    "bytes": (send(bytes(range(256))), "no JSON"),
    "deep": (send("[" * 100_000), "no JSON"),
    "deep and whole": (send('{"choices":' + "[" * 50_000 + "]" * 50_000 + "}"), "does not reply"),
    "deep error": (send('{"error":' * 3000 + "1" + "}" * 3000, 400), "refuses the request (400"),
    "wide": (send(f'{{"choices": {wide("1")}}}'), "choices.0"),
    "wide tokens": (send(GOOD[:-1] + f', "prompt_token_ids": {wide("{}")}}}'), "prompt_token_ids.0"),
    "no object": (send("1"), "no object"),
    "a list": (send(wide(GOOD, 2)), "no object"),
    "no choices": (send('{"choices": []}'), "choices"),
    "null": (send('{"choices": null}'), "choices"),
    "no message": (send('{"choices": [{"text": "left"}]}'), "choices.0.message"),
    "a number for a text": (send(json.dumps(said(7))), "choices.0.message.content"),
    "half a character": (send('{"choices": [{"message": {"content": "left \\ud83d"}}]}'), "no JSON"),
    "a probability of 10^391": (send(json.dumps(said("x", listed(left=900.0, right=1.0)))), "is greater than 0"),
    "an infinite one": (send(json.dumps(said("x", listed(left=float("inf"), right=1.0)))), "is greater than 0"),
    "one of 400 digits": (send(GOOD.replace("-0.2", HUGE)), "greater than 0|too many digits|no JSON"),
    "more than 1 in all": (send(json.dumps(said("x", listed(left=-0.1, right=-0.1)))), "add up to more than 1"),
    "an error": (send('{"error": {"message": "It is broken"}}'), "It is broken"),
    "a page": (send("<html><title>x</title><style>p {}</style><h1>Bad Gateway</h1></html>", 502), "(502: Bad Gateway)"),
    "too large": (send("<h1>Too Large</h1>", 413), "--resolution"),
    "a terminal": (send('{"error": {"message": "\\u001b[2J\\u009b\\u202eyou"}}', 400), r"(400: \x1b[2J\x9b\u202eyou)"),
    "moved nowhere": (send("", 301), "refuses the request (301"),
    "not modified": (raw(b"HTTP/1.1 304 Not Modified\r\n\r\n"), "refuses the request (304"),
    "another time": (send("later", 429, {"Retry-After": HUGE}), "429"),
    "another day": (send("later", 503, {"Retry-After": "Mon, 01 Jan 99999 00:00:00 GMT"}), "503"),
    "an odd status": (raw(b"HTTP/1.1 999 What\r\nContent-Length: 0\r\n\r\n"), "999|cannot be reached"),
    "no status": (raw(b"HTTP/1.1 abc\r\n\r\n"), "cannot be reached"),
}
"""Replies, and words of the sentences that they end in; a bar stands between two that will do."""
ENDLESS = {"no end", "no end of headers", "no begin"}
"""Those that only our patience ends."""


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_reply_ends_in_a_sentence(load: Loaded, waits: list[float], name: str) -> None:
    write, words = HOSTILE[name]
    with Raw() as server:
        answerer = load(server, retries=1, timeout=SHORT if name in ENDLESS else PATIENCE)
        server.write = write
        found = in_time(lambda: asked(answerer))
    if isinstance(found, list):
        assert found[0].choice is None
    sentence = str(found) if isinstance(found, HpvqaError) else str(found[0].error)
    assert any(word in sentence for word in words.split("|")), sentence
    assert len(sentence) < 700
    assert sentence.isprintable()


HARMLESS = {
    "lengths": json.dumps({**json.loads(GOOD), "usage": {"prompt_tokens": -1, "completion_tokens": "many"}}),
    "a huge length": GOOD[:-1] + f', "usage": {{"prompt_tokens": {HUGE}}}}}',
    "odd words": GOOD.replace('"stop"', "[1]"),
    "nulls": GOOD[:-1] + ', "usage": null, "prompt_token_ids": null, "error": null}',
    "more": GOOD[:-1] + ', "extra": {"deep": [[[{}]]]}}',
}


@pytest.mark.parametrize("name", HARMLESS)
def test_what_no_answer_depends_on_is_ignored(load: Loaded, name: str) -> None:
    with Raw() as server:
        answerer = load(server)
        server.write = send(HARMLESS[name])
        (found,) = in_time(lambda: asked(answerer))
    assert (found.choice, found.prompt_tokens, found.error) == ("left", None, None)


def mutated(text: str, rng: random.Random) -> bytes:
    """A reply with a few bytes, or a few values, replaced, left out or doubled."""
    data = bytearray(text.encode())
    for _ in range(rng.randint(1, 4)):
        place = rng.randrange(len(data))
        how = rng.randrange(4)
        if how == 0:
            data[place] = rng.randrange(256)
        elif how == 1:
            del data[place : place + rng.randint(1, 30)]
        elif how == 2:
            data[place:place] = data[place : place + rng.randint(1, 30)]
        else:
            values = ["null", "-1e999", "1e999", "[]", "{}", '""', "true", HUGE, '"\\u0000"', "-0.0", "NaN"]
            data[place:place] = rng.choice(values).encode()
        if not data:
            break
    return bytes(data)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.slow
def test_any_change_of_a_reply_gives_an_answer_or_a_sentence(load: Loaded, waits: list[float], seed: int) -> None:
    rng = random.Random(seed)  # noqa: S311 - no secret
    with Raw() as server:
        answerer = load(server, retries=0)
        for _ in range(100):
            content = mutated(GOOD, rng)
            server.write = send(content, rng.choice([200, 200, 200, 400, 500]))
            found = in_time(lambda: asked(answerer))
            assert isinstance(found, list), (content, found)
            assert (found[0].error is None) or found[0].choice is None
            assert str(found[0].error).isprintable()
            # Whatever it is, it can be written down.
            json.dumps({"text": found[0].text, "logprobs": found[0].logprobs}, allow_nan=False).encode()


STREAMS: dict[str, tuple[bytes, bytes, str]] = {
    "no end": (b"data: {}\n\n", b"data: {}\n\n", "was not over"),
    "a line without end": (b"data: ", b"x" * 65536, "longer than 8 MiB|was not over"),
    "an error": (b'data: {"error": {"message": "\\u001b[2Jbroken"}}\n\n', b"", "broken"),
    "deep": (b"data: " + b"[" * 100_000 + b"\n\n", b"", "pieces of another kind"),
    "half": (b'data: {"choices": [', b"", "the connection ended"),
    "a number": (b"data: 1\n\n", b"", "pieces of another kind"),
}


@pytest.mark.parametrize("name", STREAMS)
@pytest.mark.slow
def test_a_hostile_stream_ends_in_a_sentence(load: Loaded, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begin, drop, words = STREAMS[name]
    # A stream may take so many times as long as a reply.
    monkeypatch.setattr("hpvqa.vlm.backends.openai.api._PIECEMEAL", 4)
    head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\nConnection: close\r\n\r\n"
    with Raw() as server:
        answerer = load(server, timeout=SHORT if drop else PATIENCE)
        server.write = dripping(head + begin, drop) if drop else raw(head + begin)
        found = in_time(lambda: answerer.speak(make_query(bright(200)), lambda text: None))
    assert any(word in str(found.error) for word in words.split("|")), found.error
    assert str(found.error).isprintable()
