"""What went wrong with a request, in a sentence; and what of a server's own words is repeated in it."""

from __future__ import annotations

import re

from pydantic import SecretStr

from hpvqa.errors import RunError, printable
from hpvqa.plain import parse_json

_LONGEST = 300
"""Of what a server says, so much is repeated [characters]."""
_LONGEST_ERROR = 1 << 16
"""Longer replies tell of no error [bytes]."""


class RequestError(RunError):
    """A request failed for good.

    Attributes:
        status: The server's status code; None where there was no reply.
        hopeless: Whether all other requests would fail, too: the server has gone, or refuses the key.
        said: What the server said.
    """

    def __init__(self, message: str, status: int | None = None, *, hopeless: bool = False, said: str = "") -> None:
        super().__init__(message)
        self.status = status
        self.hopeless = hopeless
        self.said = said


class IncompleteError(RequestError):
    """A reply lacks what was asked for."""


class PassingError(Exception):
    """A request failed, and may be taken later.

    Attributes:
        error: What to say if it is not sent again.
        wait: How long the server wants to be left alone [s]; None where it does not say.
    """

    def __init__(self, error: RequestError, wait: float | None = None) -> None:
        super().__init__(str(error))
        self.error = error
        self.wait = wait


def told_error(content: bytes) -> tuple[int | None, str] | None:
    """The status code, if one is given, and the message of an error that came with a status code of success."""
    if len(content) > _LONGEST_ERROR or b'"error"' not in content:
        return None
    body = parsed(content)
    first = body.get("choices") if isinstance(body, dict) else None
    for place in (body, first[0] if isinstance(first, list) and first else None):
        if isinstance(place, dict) and place.get("error"):
            error = place["error"]
            code = error.get("code", error.get("status")) if isinstance(error, dict) else None
            known = re.fullmatch(r"[45]\d\d", str(code))
            return int(known[0]) if known else None, message(place) or "an error without a message"
    return None


def parsed(text: bytes | str) -> object:
    """What JSON says; None where it is none."""
    try:
        found: object = parse_json(text)
    except ValueError:
        return None
    return found


def message(body: object) -> str:
    """What servers say is wrong: ``{"error": {"message": ...}}``, or less."""
    for _ in range(4):
        if not isinstance(body, dict):
            break
        body = body.get("error") or body.get("message") or body.get("detail") or ""
    return "" if body is None or isinstance(body, dict) else str(body)


def plain(content: bytes) -> str:
    """What a reply says is wrong: its message, or its text, without the tags if that is a page of HTML."""
    text = content.decode("utf-8", errors="replace").strip()
    found = message(parsed(content))
    if found:
        return found
    return re.sub(r"<(style|script|title).*?</\1>|<[^>]*>", " ", text, flags=re.DOTALL) if text[:1] == "<" else text


def short(text: str, key: SecretStr | None) -> str:
    """A text of a server in one line, not too long, safe to show, and without the key: servers like to repeat that."""
    secret = "" if key is None else key.get_secret_value()
    text = text.replace(secret, "***") if secret else text
    line = printable(re.sub(r"\s+", " ", text[: 100 * _LONGEST]).strip()).rstrip(".")
    return line if len(line) <= _LONGEST else f"{line[:_LONGEST]}…"
