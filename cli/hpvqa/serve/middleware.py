"""Loaded by vLLM's server: nothing but its health is told without the key.

vLLM itself asks for the key only under some paths; others, of which ``/invocations`` answers queries too, stay open.
"""

from __future__ import annotations

import hmac
import os
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from hpvqa.serve.key import TAKEN

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]
App = Callable[[Message, Receive, Send], Awaitable[None]]

OPEN = ("/health",)
_REFUSAL = b'{"error": {"message": "Unauthorized", "code": 401}}'


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
        elif kind == "websocket":
            await send({"type": "websocket.close", "code": 1008})
        else:
            headers = [(b"content-type", b"application/json"), (b"www-authenticate", b"Bearer")]
            await send({"type": "http.response.start", "status": 401, "headers": headers})
            await send({"type": "http.response.body", "body": _REFUSAL})
