"""A stand-in whose replies are whatever a test says, to the byte."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.servers import Fault, StandIn

Write = Callable[[BaseHTTPRequestHandler], None]
"""Replies to a request."""


class Raw(StandIn):
    """Replies as it is told, or properly as long as it is told nothing.

    Attributes:
        write: How it replies.
        body: Makes what it replies from what it was asked; counts before ``write``.
    """

    write: Write | None = None
    body: Callable[[dict[str, Any]], Any] | None = None

    def _complete(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], fault: Fault | None) -> None:
        if self.body is not None:
            reply = self.body(body)
            status, content = reply if isinstance(reply, tuple) else (200, reply)
            send(json.dumps(content), status)(handler)
        elif self.write is not None:
            # A client that has read enough hangs up.
            with suppress(OSError):
                self.write(handler)
            handler.close_connection = True
        else:
            super()._complete(handler, body, fault)


def send(content: str | bytes, status: int = 200, headers: Mapping[str, str] = {}) -> Write:
    """A reply at once."""
    data = content.encode() if isinstance(content, str) else content

    def write(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(status)
        usual = {"Content-Type": "application/json", "Content-Length": str(len(data)), "Connection": "close"}
        for name, value in {**usual, **headers}.items():
            handler.send_header(name, value)
        handler.end_headers()
        handler.wfile.write(data)

    return write


def said(content: Any, logprobs: Any = None, ended: str = "stop", **message: Any) -> dict[str, Any]:
    """A reply that says something."""
    entry = {"message": {"role": "assistant", "content": content, **message}, "logprobs": logprobs}
    return {"id": "x", "object": "chat.completion", "choices": [{"index": 0, "finish_reason": ended, **entry}]}


def listed(**tokens: Any) -> dict[str, Any]:
    """The tokens that could have come first; the first one came."""
    pairs = [{"token": token, "logprob": logprob} for token, logprob in tokens.items()]
    return {"content": [{**pairs[0], "top_logprobs": pairs}]}


def refused(message: str, status: int = 400) -> tuple[int, Any]:
    """A reply that refuses."""
    return status, {"error": {"message": message, "code": status}}
