"""A page in a browser on this machine, on which a person plays: pictures, question, and a button for each option."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Sequence
from importlib.resources import files
from typing import Any
from urllib.parse import parse_qs

from hpvqa.explore.protocol import Turn
from hpvqa.explore.runs.course import encoded
from hpvqa.loopback import Handler, Server
from hpvqa.plain import parse_json

_WAIT = 20.0
"""Longest that a page is kept waiting for a new turn, before it asks again [s]."""
_GLANCE = 0.5
"""Time between two looks at whether the program is to end [s]."""
_LONGEST = 1000
"""Of what a page sends [bytes]."""


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
        self._server: Server | None = None

    def open(self) -> None:
        """Begin to listen, and say where.

        Raises:
            RunError: The port is taken.
        """
        self._server = Server(self._port, type("Handler", (_Handler,), {"page": self}))
        self._server.start("hpvqa-page")
        self._say(f"Open {self._server.url} in a browser. Ctrl-C ends.")

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
            self._server.stop()
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


class _Handler(Handler):
    """Answers a browser."""

    page: Page
    policy = (
        "default-src 'none'; style-src 'unsafe-inline'; script-src 'unsafe-inline'; img-src 'self' data:; "
        "connect-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'"
    )

    def do_GET(self) -> None:  # noqa: N802 - as the standard library has it
        """The page, a turn, or a picture."""
        if (parts := self.called()) is None:
            return
        if parts.path == "/":
            self.send(200, "text/html; charset=utf-8", (files(__package__) / "page.html").read_bytes())
        elif parts.path == "/turn":
            after = parse_qs(parts.query).get("after", ["0"])[-1]
            turn = self.page.after(int(after) if after.isdecimal() and len(after) < 10 else 0)
            self.send(200, "application/json", json.dumps(turn).encode())
        elif (data := self.page.picture(parts.path.removeprefix("/picture/"))) is not None:
            self.send(200, "image/png", data)
        else:
            self.send(404, "text/plain", b"There is no such page")

    def do_POST(self) -> None:  # noqa: N802 - as the standard library has it
        """A choice."""
        if self.called() is None:
            return
        length = self.headers.get("Content-Length", "")
        # A page of another site would have to ask first before it may send this type.
        plain = self.headers.get("Content-Type", "").partition(";")[0].strip().lower() == "application/json"
        if not plain or not length.isdecimal() or int(length) > _LONGEST or self.path != "/choice":
            self.refuse(400, "That is no choice")
            return
        try:
            said = parse_json(self.rfile.read(int(length)))
        except ValueError:
            said = None
        chosen = isinstance(said, dict) and self.page.choose(said.get("number"), said.get("letter"))
        self.send(200 if chosen else 409, "application/json", json.dumps(chosen).encode())
