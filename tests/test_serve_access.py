"""Who may ask a server: the key, and the host that a request names."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from hpvqa.errors import UsageError
from hpvqa.serve.key import ApiKey, choose_key
from hpvqa.serve.middleware import OnlyFromHere, OnlyWithKey
from hpvqa.serve.settings import ServeSettings
from hpvqa.vlm.options import VllmOptions

KEY = "sk-very-secret-4711"
EVERYWHERE = "0.0.0.0"  # noqa: S104 - nothing is bound


def test_a_key_is_wanted_where_others_can_reach_the_server() -> None:
    def key(environ: dict[str, str], host: str) -> ApiKey | None:
        return choose_key(environ, local=ServeSettings(model=VllmOptions(model="x"), host=host).local)

    for host in ("127.0.0.1", "localhost", "::1", "127.0.0.2"):
        assert key({}, host) is None
        given = key({"HPVQA_API_KEY": KEY}, host)
        assert given is not None
        assert (given.value.get_secret_value(), given.made) == (KEY, False)
    for host in (EVERYWHERE, "::", "192.168.1.7", "robot.example"):
        one, two = key({}, host), key({}, host)
        assert one is not None
        assert two is not None
        assert one.made
        assert one.value != two.value
        assert len(one.value.get_secret_value()) >= 32
    with pytest.raises(UsageError, match="The key in HPVQA_API_KEY must be at least 8") as caught:
        key({"HPVQA_API_KEY": "seven77"}, "127.0.0.1")
    assert "seven77" not in str(caught.value)
    assert KEY not in repr(given)


@pytest.mark.parametrize(
    ("scope", "passed"),
    [
        ({"type": "lifespan"}, True),
        ({"type": "http", "path": "/health"}, True),
        ({"type": "http", "path": "/health/../v1/models"}, False),
        ({"type": "http", "path": "/invocations"}, False),
        ({"type": "http", "path": "/v1/models", "key": f"Bearer {KEY}"}, True),
        ({"type": "http", "path": "/v1/models", "key": f"Bearer {KEY}x"}, False),
        ({"type": "http", "path": "/v1/models", "key": KEY}, False),
        ({"type": "http", "path": "/v1/models", "method": "OPTIONS"}, False),
        ({"type": "websocket", "path": "/v1/realtime"}, False),
    ],
)
def test_nothing_is_told_without_the_key(scope: dict[str, Any], passed: bool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("VLLM_API_KEY", KEY)
    headers = [("authorization", scope["key"])] if "key" in scope else []
    reached, sent = passing(OnlyWithKey, scope, headers)
    assert bool(reached) == passed
    assert bool(sent) != passed
    if scope["type"] == "http" and not passed:
        assert sent[0]["status"] == 401


HERE = ("127.0.0.1:8000", "localhost:8000", "LOCALHOST", "[::1]:8000", "127.0.0.1")
ELSEWHERE = (
    "evil.example:8000",
    "evil.example",
    "127.0.0.1.evil.example",
    "127.0.0.1@evil.example",
    "10.0.0.1",
    "",
    "[",
)


@pytest.mark.parametrize(
    ("headers", "passed"),
    [
        *(([("host", host)], True) for host in HERE),
        *(([("host", host)], False) for host in ELSEWHERE),
        *(([("host", HERE[0]), ("origin", f"http://{host}")], True) for host in HERE),
        *(([("host", HERE[0]), ("origin", f"https://{host}")], False) for host in ELSEWHERE),
        ([("host", HERE[0]), ("origin", "null")], False),
        ([("host", HERE[0]), ("host", ELSEWHERE[0])], False),
        ([], False),
    ],
)
@pytest.mark.parametrize("kind", ["http", "websocket"])
def test_without_a_key_no_page_of_another_site_may_ask(headers: list[tuple[str, str]], passed: bool, kind: str) -> None:
    reached, sent = passing(OnlyFromHere, {"type": kind, "path": "/v1/models"}, headers)
    assert bool(reached) == passed
    assert bool(sent) != passed
    if not passed:
        assert sent[0] == {"type": "websocket.close", "code": 1008} or sent[0]["status"] == 403


def test_a_server_that_starts_or_ends_is_not_asked_for_its_host() -> None:
    assert passing(OnlyFromHere, {"type": "lifespan"}, [])[0]


def passing(middleware: Any, scope: dict[str, Any], headers: list[tuple[str, str]]) -> tuple[list[object], list[Any]]:
    """What reaches the application behind a middleware, and what is sent instead."""
    reached: list[object] = []
    sent: list[Any] = []

    async def app(scope: object, receive: object, send: object) -> None:
        reached.append(scope)

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        raise AssertionError

    given = [(name.encode(), value.encode()) for name, value in headers]
    asyncio.run(middleware(app)({**scope, "headers": given}, receive, send))
    return reached, sent
