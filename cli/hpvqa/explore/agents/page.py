"""A page in a browser on this machine, on which a person plays: pictures, question, and a button for each option."""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs, urlsplit

from hpvqa.errors import RunError
from hpvqa.explore.protocol import Turn
from hpvqa.explore.runs.course import encoded
from hpvqa.hosts import from_here
from hpvqa.plain import parse_json

_ADDRESS = "127.0.0.1"
_WAIT = 20.0
"""Longest that a page is kept waiting for a new turn, before it asks again [s]."""
_GLANCE = 0.5
"""Time between two looks at whether the program is to end [s]."""
_LONGEST = 1000
"""Of what a page sends [bytes]."""
_HEADERS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; "
    "img-src 'self' data:; connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
}


class Page:
    """A server for one page; it listens on this machine alone, and shows what an agent may know and nothing else.

    Args:
        port: Where it listens; 0: at a free port.
        say: Told the address.
    """

    def __init__(self, port: int, say: Callable[[str], None]) -> None:
        self._port, self._say = port, say
        self._changed = threading.Condition()
        self._number = 0
        self._turn: dict[str, Any] | None = None
        self._pictures: dict[str, bytes] = {}
        self._letter: str | None = None
        self._scenes: list[str] = []
        self._server: _Server | None = None

    def open(self) -> None:
        """Begin to listen, and say where.

        Raises:
            RunError: The port is taken.
        """
        handler = type("Handler", (_Handler,), {"page": self})
        try:
            self._server = _Server((_ADDRESS, self._port), handler)
        except OSError as error:
            raise RunError(f"Port {self._port} cannot be used ({error.strerror}); choose another --port") from None
        threading.Thread(target=self._server.serve_forever, args=(0.1,), name="hpvqa-page", daemon=True).start()
        self._say(f"Open http://{_ADDRESS}:{self._server.server_address[1]}/ in a browser. Ctrl-C ends.")

    def ask(self, turn: Turn) -> str:
        """Show a turn, and wait for a letter that it offers."""
        if turn.brief.key not in self._scenes:
            self._scenes.append(turn.brief.key)
        pictures = [encoded(shot) for shot in turn.shots]
        with self._changed:
            self._number += 1
            self._letter, self._pictures = None, dict(filter(None, pictures))
            names = [picture and picture[0] for picture in pictures]
            self._turn = {"number": self._number, "scene": len(self._scenes), **_shown(turn, names)}
            self._changed.notify_all()
            while self._letter is None:
                # Ctrl-C may reach another thread, and then does not wake this one.
                self._changed.wait(_GLANCE)
            self._turn = None
            return self._letter

    def close(self) -> None:
        """Stop to listen."""
        if self._server is not None:
            self._server.shutdown()
            self._server.server_close()
            self._server = None

    def after(self, number: int) -> dict[str, Any] | None:
        """The turn that is to be decided, once it is not the one that is known; None if none comes for a while.

        Args:
            number: Of the one that is known.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._turn is not None and self._number != number, _WAIT)
            return self._turn if self._number != number else None

    def picture(self, name: str) -> bytes | None:
        """A picture of the turn, as a PNG file; None if it has none of this name."""
        with self._changed:
            return self._pictures.get(name)

    def choose(self, number: Any, letter: Any) -> bool:
        """Choose an option of a turn; False if it is over, or has no such option."""
        with self._changed:
            if self._turn is None or self._letter is not None or number != self._number:
                return False
            if letter not in [option["letter"] for option in self._turn["options"]]:
                return False
            self._letter = letter
            self._changed.notify_all()
            return True


def _shown(turn: Turn, pictures: Sequence[str | None]) -> dict[str, Any]:
    """What is shown of a turn; all that is not named here stays hidden."""
    return {
        "question": turn.brief.question,
        "rules": turn.brief.rules,
        "left": turn.steps_left,
        "shots": [
            {"picture": picture, "after": shot.after, "view": shot.view, "facts": shot.facts}
            for shot, picture in zip(turn.shots, pictures, strict=True)
        ],
        "mishap": next((step.mishap for step in turn.history[-1:]), None),
        "options": [{"letter": option.letter, "text": option.text} for option in turn.options],
    }


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that hangs up is no fault."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class _Handler(BaseHTTPRequestHandler):
    """Answers a browser; anyone who does not call this machine by its own name is refused."""

    page: Page
    protocol_version = "HTTP/1.1"
    timeout = 60.0

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the standard library has it
        """Nothing is logged."""

    def do_GET(self) -> None:
        """The page, a turn, or a picture."""
        if not self._may():
            return
        parts = urlsplit(self.path)
        if parts.path == "/":
            self._send(200, "text/html; charset=utf-8", (files(__package__) / "page.html").read_bytes())
        elif parts.path == "/turn":
            after = parse_qs(parts.query).get("after", ["0"])[-1]
            turn = self.page.after(int(after) if after.isdecimal() and len(after) < 10 else 0)
            self._send(200, "application/json", json.dumps(turn).encode())
        elif (data := self.page.picture(parts.path.removeprefix("/picture/"))) is not None:
            self._send(200, "image/png", data)
        else:
            self._send(404, "text/plain", b"There is no such page")

    def do_POST(self) -> None:
        """A choice."""
        if not self._may():
            return
        length = self.headers.get("Content-Length", "")
        # A page of another site would have to ask first before it may send this type.
        plain = self.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json"
        if not plain or not length.isdecimal() or int(length) > _LONGEST or self.path != "/choice":
            self.close_connection = True
            self._send(400, "text/plain", b"That is no choice")
            return
        try:
            said = parse_json(self.rfile.read(int(length)))
        except ValueError:
            said = None
        chosen = isinstance(said, dict) and self.page.choose(said.get("number"), said.get("letter"))
        self._send(200 if chosen else 409, "application/json", json.dumps(chosen).encode())

    def _may(self) -> bool:
        if from_here(self.headers.get_all("Host", []), self.headers.get_all("Origin", [])):
            return True
        self.close_connection = True
        self._send(403, "text/plain", b"Only this machine may ask, by the name 127.0.0.1")
        return False

    def _send(self, status: int, kind: str, body: bytes) -> None:
        self.send_response(status)
        for name, value in {**_HEADERS, "Content-Type": kind, "Content-Length": str(len(body))}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)
