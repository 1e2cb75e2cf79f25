"""Loaded by vLLM's server: who may ask.

With a key, nothing but the server's health is told without it: vLLM itself asks for the key only under some paths;
others, of which ``/invocations`` answers queries too, stay open. Without a key only programs on this machine may ask,
and a page of another site in a browser on it is none of them.
"""

from __future__ import annotations

import hmac
import json
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hpvqa.hosts import from_here
from hpvqa.serve.key import TAKEN

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

OPEN = ("/health",)


class OnlyWithKey:
    """An ASGI application around another one (https://asgi.readthedocs.io/en/latest/specs/www.html).

    Args:
        app: The other one.
    """

    def __init__(self, app: App) -> None:
        self._app = app
        self._wanted = f"Bearer {os.environ[TAKEN]}".encode()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        kind = scope["type"]
        if kind not in {"http", "websocket"} or (kind == "http" and scope["path"] in OPEN):
            await self._app(scope, receive, send)
            return
        given = dict(scope["headers"]).get(b"authorization", b"")
        if hmac.compare_digest(given, self._wanted):
            await self._app(scope, receive, send)
        else:
            await _refuse(scope, send, 401, "Unauthorized", (b"www-authenticate", b"Bearer"))


class OnlyFromHere:
    """An ASGI application around another one: whoever asks must call this machine by a name that only it has.

    Args:
        app: The other one.
    """

    def __init__(self, app: App) -> None:
        self._app = app

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it."""
        if scope["type"] in {"http", "websocket"}:
            headers = [(bytes(name).lower(), bytes(value).decode("latin-1")) for name, value in scope["headers"]]
            hosts = [value for name, value in headers if name == b"host"]
            pages = [value for name, value in headers if name == b"origin"]
            if not from_here(hosts, pages):
                await _refuse(scope, send, 403, "Without a key, only this machine may ask, by the name 127.0.0.1")
                return
        await self._app(scope, receive, send)


async def _refuse(scope: Message, send: Send, status: int, why: str, *headers: tuple[bytes, bytes]) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008})
        return
    body = json.dumps({"error": {"message": why, "code": status}}).encode()
    headers = ((b"content-type", b"application/json"), *headers)
    await send({"type": "http.response.start", "status": status, "headers": list(headers)})
    await send({"type": "http.response.body", "body": body})
