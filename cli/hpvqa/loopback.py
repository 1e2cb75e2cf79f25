"""A small server of pages for the browser on this machine, and for nobody else."""

from __future__ import annotations

import sys
import threading
from collections.abc import Mapping
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import SplitResult, urlsplit

from hpvqa.errors import RunError
from hpvqa.hosts import from_here

ADDRESS = "127.0.0.1"
_HEADERS = {
    # A page of another site may load scripts and pictures from anywhere, and would learn what is in them.
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Handler(BaseHTTPRequestHandler):
    """Answers a browser; anyone who does not call this machine by its own name is refused."""

    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else a reply may wait 40 ms until the client acknowledges its headers
    timeout = 60.0
    policy = "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    """What a page may load, as a Content-Security-Policy."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library has it
        """Nothing is logged."""

    def called(self) -> SplitResult | None:
        """What is asked for; None if it must not be answered, for the request was refused or makes no sense."""
        if not from_here(self.headers.get_all("Host", []), self.headers.get_all("Origin", [])):
            self.refuse(403, "Only this machine may ask, by the name 127.0.0.1")
            return None
        try:
            return urlsplit(self.path)
        except ValueError:
            self.refuse(400, "That is no address")
            return None

    def refuse(self, status: int, words: str) -> None:
        """Answer with a sentence, and hang up: what else was sent is not read."""
        self.close_connection = True
        self.send(status, "text/plain; charset=utf-8", words.encode())

    def send(self, status: int, kind: str, body: bytes, more: Mapping[str, str] | None = None) -> None:
        """Answer with a whole body."""
        self.head(status, kind, len(body), more)
        if self.command != "HEAD":
            self.wfile.write(body)

    def head(self, status: int, kind: str, length: int, more: Mapping[str, str] | None = None) -> None:
        """Begin an answer."""
        self.send_response(status)
        own = {"Content-Security-Policy": self.policy, "Content-Type": kind, "Content-Length": str(length)}
        for name, value in {**_HEADERS, **own, **(more or {})}.items():
            self.send_header(name, value)
        self.end_headers()


class Server(ThreadingHTTPServer):
    """Listens on this machine alone, in threads that do not keep the program from ending.

    Args:
        port: Where; 0: at a free port.
        handler: Answers.

    Raises:
        RunError: The port is taken.
    """

    daemon_threads = True

    def __init__(self, port: int, handler: type[Handler]) -> None:
        try:
            super().__init__((ADDRESS, port), handler)
        except OSError as error:
            raise RunError(f"Port {port} cannot be used ({error.strerror}); choose another --port") from None

    @property
    def url(self) -> str:
        """The address of its first page."""
        return f"http://{ADDRESS}:{self.server_address[1]}/"

    def start(self, name: str) -> None:
        """Answer from now on, in a thread of this name."""
        threading.Thread(target=self.serve_forever, args=(0.1,), name=name, daemon=True).start()

    def stop(self) -> None:
        """Stop to listen."""
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)
