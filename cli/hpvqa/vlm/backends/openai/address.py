"""The address of a server."""

from __future__ import annotations

from urllib.parse import urlsplit

from hpvqa.errors import UsageError

NO_ADDRESS = "The address of a server looks like http://127.0.0.1:8000/v1"


def check_url(url: str) -> str:
    """The address without a slash at its end.

    Raises:
        UsageError: It is none, or holds what may be a secret; the message does not repeat it then.
    """
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname, parts.port
    except ValueError:
        host = None
    if host is None or parts.scheme not in {"http", "https"}:
        raise UsageError(NO_ADDRESS)
    if "@" in parts.netloc or parts.query or parts.fragment:
        raise UsageError(
            "The address of a server may hold neither a user's name and password nor a query, for it is written down; "
            "put the key into the environment variable HPVQA_API_KEY"
        )
    return url.rstrip("/")


def root_of(url: str) -> str:
    """Where a server keeps what is not part of the interface, such as its version."""
    return url.removesuffix("/v1")
