"""The HTTP beneath: retries and what a server says of them, proxies, keys, replies that come piece by piece."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Sequence
from email.utils import formatdate
from typing import Any

import pytest
from pydantic import SecretStr

from hpvqa.errors import RunError, UsageError
from hpvqa.hosts import is_local
from hpvqa.vlm.backends.openai import OpenAIAnswerer
from hpvqa.vlm.backends.openai.api import wait_before, wanted_wait
from hpvqa.vlm.backends.openai.wire import read_events
from hpvqa.vlm.options import ServerOptions
from tests.ask_fakes import Speaking
from tests.openai_client import GONE, KEY, Loaded, bright, load, waits
from tests.servers import StandIn
from tests.tiny_models import make_query

__all__ = ["load", "waits"]

DEAD = "http://127.0.0.1:9"


def test_waits_double_up_to_a_limit_and_differ() -> None:
    for retry, longest in ((1, 0.5), (2, 1.0), (3, 2.0), (9, 8.0), (20, 8.0)):
        found = {wait_before(retry) for _ in range(20)}
        assert 0.75 * longest <= min(found) < max(found) <= longest


@pytest.mark.parametrize(
    ("header", "wait"),
    [
        *((None, None), ("17", 17), ("0", 0), ("-3", 0), ("0.7", 0.7)),
        *((text, None) for text in ("soon", "", "nan", "inf", "9" * 400)),
    ],
)
def test_a_server_says_how_long_to_wait(header: str | None, wait: float | None) -> None:
    assert wanted_wait(header) == wait


def test_a_server_may_say_when() -> None:
    assert wanted_wait(formatdate(time.time() + 60, usegmt=True)) == pytest.approx(60, abs=2)
    assert wanted_wait(formatdate(time.time() - 60, usegmt=True)) == 0


def test_a_server_that_wants_too_long_a_wait_is_not_asked_again(load: Loaded, waits: list[float]) -> None:
    with StandIn() as server:
        answerer = load(server)
        server.faults.append((429, {"Retry-After": "86400"}, GONE))
        (answer,) = answerer.answer([make_query(bright(200))])
        assert len(server.requests) == 1
    assert waits == []
    assert "429" in str(answer.error)
    assert "times" not in str(answer.error)


def test_a_wait_of_nothing_is_ours(load: Loaded, waits: list[float]) -> None:
    with StandIn() as server:
        answerer = load(server)
        server.faults.append((503, {"Retry-After": "0"}, GONE))
        assert answerer.answer([make_query(bright(200))])[0].choice == "left"
    assert waits[0] > 0.3


def test_no_proxy_is_asked_for_this_machine(load: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, DEAD)
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with StandIn() as server:
        assert load(server).answer([make_query(bright(200))])[0].choice == "left"
    with pytest.raises(RunError, match="cannot be reached"):
        load("http://server.invalid/v1", retries=0)


def test_a_proxy_is_asked_for_other_machines(load: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("NO_PROXY", "no_proxy"):
        monkeypatch.delenv(name, raising=False)
    with StandIn() as proxy:
        for name in ("HTTP_PROXY", "http_proxy"):
            monkeypatch.setenv(name, proxy.url.removesuffix("/v1"))
        # The stand-in knows no whole addresses, as proxies are sent, and says so.
        with pytest.raises(RunError, match="404"):
            load("http://server.invalid/v1")
        assert proxy.headers[0]["Host"] == "server.invalid"


def test_a_proxy_that_is_none_is_a_sentence(load: Loaded, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("HTTP_PROXY", "http_proxy"):
        monkeypatch.setenv(name, "gopher://me:hunter2@proxy.invalid")
    with pytest.raises(UsageError, match="HTTP_PROXY") as caught:
        load("http://server.invalid/v1")
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    ("host", "local"),
    [("127.0.0.1", True), ("127.3.2.1", True), ("::1", True), ("localhost", True), ("10.0.0.1", False), ("", False)],
)
def test_which_hosts_are_this_machine(host: str, local: bool) -> None:
    assert is_local(host) is local


def test_an_address_that_cannot_be_is_a_sentence(load: Loaded) -> None:
    with pytest.raises(UsageError, match="looks like http"):
        load("http://-ä.invalid/v1")


@pytest.mark.parametrize("key", ["schlüssel", f"{KEY}\n", "two words", "\x00"])
def test_a_key_that_no_header_takes_is_refused_and_not_repeated(key: str) -> None:
    with pytest.raises(UsageError, match="ASCII") as caught:
        OpenAIAnswerer(ServerOptions(server=f"{DEAD}/v1", key=SecretStr(key)))
    assert key.strip() not in str(caught.value)


def test_a_server_that_has_moved_is_not_followed_but_told(load: Loaded) -> None:
    with StandIn(key=KEY) as server:
        answerer = load(server, key=SecretStr(KEY))
        server.faults.append((308, {"Location": "https://elsewhere.invalid/v1"}, ""))
        (answer,) = answerer.answer([make_query(bright(200))])
    assert "has moved to https://elsewhere.invalid/v1 (308); give --server" in str(answer.error)


# Replies that come piece by piece


def parsed(*chunks: bytes) -> list[str]:
    async def all_of() -> list[str]:
        async def wire() -> AsyncIterator[bytes]:
            for chunk in chunks:
                yield chunk

        return [data async for data in read_events(wire())]

    return asyncio.run(all_of())


TEXT = ': hello\r\nevent: x\ndata: {"a":\rdata:1}\n\nid: 1\n\ndata: \u2028é\r\n\r\ndata\n\n\ndata: [DONE]\n\ndata: cut'
EVENTS = ['{"a":\n1}', "\u2028é", "[DONE]"]


def test_events_are_the_same_however_they_are_cut() -> None:
    wire = TEXT.encode()
    whole = parsed(wire)
    assert [event for event in whole if event] == EVENTS
    assert parsed(*(wire[place : place + 1] for place in range(len(wire)))) == whole
    for place in range(len(wire)):
        assert parsed(wire[:place], wire[place:]) == whole


class Saying(Speaking):
    """Says a reply of several pieces as it is given."""

    raw: Sequence[str] = ()
    kind = "text/event-stream"

    def _complete(self, handler: Any, body: dict[str, Any], fault: Any) -> None:
        if not body.get("stream"):
            super()._complete(handler, body, fault)
            return
        handler.send_response(200)
        handler.send_header("Content-Type", self.kind)
        handler.send_header("Connection", "close")
        handler.end_headers()
        for piece in self.raw:
            handler.wfile.write(piece.encode())
        handler.close_connection = True


def piece(text: str) -> str:
    return f"data: {json.dumps({'choices': [{'index': 0, 'delta': {'content': text}}]})}\n\n"


LAST = f"data: {json.dumps({'choices': [{'index': 0, 'delta': {}, 'finish_reason': 'stop'}]})}\n\n"


@pytest.mark.parametrize(
    ("raw", "said", "error"),
    [
        ([piece("a"), piece(" b"), "data: [DONE]\n\n"], "a b", None),
        ([piece("a"), piece(" b"), LAST], "a b", None),
        ([piece("a"), piece(" b"), LAST, "data: [DONE]"], "a b", None),
        ([piece("a"), piece(" b"), LAST, "data: [DONE]\n"], "a b", None),
        ([piece("a"), piece(" b"), LAST, ": ping\n\nevent: ping\ndata: {}\n\n"], "a b", None),
        ([LAST, "data: [DONE]\n\n"], "", "said nothing within 16 tokens"),
        ([piece("<think>a"), LAST], "<think>a", "said nothing within 16 tokens"),
        ([piece("a"), piece(" b")], "a b", "broke off in the middle of its answer (the connection ended)"),
        ([piece("a"), 'data: {"error": {"message": "out of memory"}}\n\n'], "a", "its answer (out of memory)"),
        ([piece("a"), f'data: {{"error": "key {KEY}"}}\n\n'], "a", "its answer (key ***)"),
        ([piece("a"), 'data: {"choices": 1}\n\n'], "a", "pieces of another kind"),
        ([piece("a"), "data: hello\n\n"], "a", "pieces of another kind"),
    ],
)
@pytest.mark.slow
def test_what_was_said_is_kept_when_a_server_breaks_off(
    load: Loaded, raw: Sequence[str], said: str, error: str | None
) -> None:
    with Saying(owned_by="vllm", key=KEY) as server:
        server.raw = raw
        heard: list[str] = []
        answer = load(server, key=SecretStr(KEY)).speak(make_query(bright(200)), heard.append)
    assert "".join(heard) == answer.text == said
    assert (error is None) == (answer.error is None)
    assert (error or "") in (answer.error or "")
    assert KEY not in str(answer.error)


def test_a_server_that_does_not_speak_piece_by_piece_is_noticed(load: Loaded) -> None:
    with Saying(owned_by="vllm") as server:
        server.raw, server.kind = ['{"choices": []}'], "application/json"
        answer = load(server).speak(make_query(bright(200)), print)
    assert "does not reply to /chat/completions" in str(answer.error)
