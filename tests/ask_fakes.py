"""A server that speaks while it is listened to, and the command that finds new episodes, for tests of `hpvqa ask`."""

from __future__ import annotations

import json
import socket
from http.server import BaseHTTPRequestHandler
from typing import Any

from tests.servers import Fault, StandIn


class Speaking(StandIn):
    """A stand-in that says a few words, piece by piece where that is wanted, and may break off.

    Attributes:
        words: What it says.
        breaks_after: After so many pieces the connection is lost; None: never.
    """

    words = ("A robot ", "pushes ", "a cube.")
    breaks_after: int | None = None

    def _complete(self, handler: BaseHTTPRequestHandler, body: dict[str, Any], fault: Fault | None) -> None:
        if not body.pop("stream", False) or fault is not None:
            super()._complete(handler, body, fault)
            return
        assert self._wrong(body) is None
        handler.send_response(200)
        handler.send_header("Content-Type", "text/event-stream")
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        first = {"choices": [{"index": 0, "delta": {"role": "assistant", "content": ""}}]}
        said = [{"choices": [{"index": 0, "delta": {"content": word}}]} for word in self.words]
        for number, piece in enumerate([first, *said, {"choices": [], "usage": {}}]):
            if number == self.breaks_after:
                handler.connection.shutdown(socket.SHUT_RDWR)
                return
            _chunk(handler, f"data: {json.dumps(piece)}\n\n")
        _chunk(handler, "data: [DONE]\n\n")
        _chunk(handler, "")


def _chunk(handler: BaseHTTPRequestHandler, text: str) -> None:
    data = text.encode()
    handler.wfile.write(f"{len(data):x}\r\n".encode() + data + b"\r\n")
    handler.wfile.flush()
