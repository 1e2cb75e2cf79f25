"""Requests to a server: its address, what is sent again and when, and errors as sentences."""

from __future__ import annotations

import asyncio
import random
import re
import time
from asyncio import sleep
from collections.abc import AsyncGenerator
from contextlib import aclosing
from email.utils import parsedate_to_datetime
from typing import Any, TypeVar
from urllib.parse import urlsplit

from pydantic import BaseModel, ValidationError

from hpvqa.errors import UsageError
from hpvqa.hosts import is_local
from hpvqa.vlm.backends.openai.failures import (
    IncompleteError,
    PassingError,
    RequestError,
    message,
    parsed,
    plain,
    short,
    told_error,
)
from hpvqa.vlm.backends.openai.replies import Piece
from hpvqa.vlm.backends.openai.wire import ENCODING, Incoming, WireError, read_events
from hpvqa.vlm.options import ServerOptions

R = TypeVar("R", bound=BaseModel)

_END = "[DONE]"
"""What follows the last piece of a reply that comes piece by piece, with most servers."""
_WHOLE, _PIECEMEAL = 2, 10
"""After so many times the longest wait for something to come, a reply must be over, however steadily it trickles; one
that comes piece by piece may take longer, for it is read while it comes."""
_FIRST_WAIT, _LONGEST_WAIT = 0.5, 8.0
"""Waits before the first retry, and at most [s]; each is twice the one before."""
_CHANCE = 0.25
"""By up to this share waits are shorter, so that clients that failed together do not come back together."""
PATIENCE = 120.0
"""Longest wait that a server may ask for [s]; one that wants more time is not asked again."""
NO_ADDRESS = "The address of a server looks like http://127.0.0.1:8000/v1"


class Api:
    """A connection to a server.

    What may pass by itself is tried again, after waits that grow and have some chance in them, or after the time that
    the server names: no connection, a timeout, and the status codes 408, 409, 429 and from 500 on, also where they
    stand in a reply that says of itself that all is well. A server on this machine is asked directly, whatever proxies
    the environment names.

    Args:
        url: The server's address.
        options: Key, retries and timeout.

    Attributes:
        url: The server's address.

    Raises:
        UsageError: The address is none, or the environment names a proxy that cannot be used.
    """

    def __init__(self, url: str, options: ServerOptions) -> None:
        import httpx2

        self.url = url
        self._key = options.key
        self._retries = options.retries
        self._timeout = options.wait
        self._shorter = "lower --concurrency" + ("" if options.thinking is None else ", or --thinking")
        try:
            httpx2.URL(url)
        except httpx2.InvalidURL:
            raise UsageError(NO_ADDRESS) from None
        parts = urlsplit(url)
        headers = {} if options.key is None else {"Authorization": f"Bearer {options.key.get_secret_value()}"}
        try:
            self._client = httpx2.AsyncClient(
                headers={"Accept-Encoding": ENCODING, **headers},
                timeout=options.wait,
                # We make no more requests at once than the user wants.
                limits=httpx2.Limits(),
                trust_env=not is_local(parts.hostname or ""),
                # Without TLS there is nothing to verify, and reading all certificates takes a while.
                verify=parts.scheme == "https",
            )
        except (ImportError, ValueError, httpx2.InvalidURL):
            raise UsageError(
                "The proxy that the environment names cannot be used; correct HTTP_PROXY, HTTPS_PROXY or ALL_PROXY, or "
                f"put {parts.hostname} into NO_PROXY"
            ) from None

    async def get(self, path: str, kind: type[R]) -> R:
        """Ask for something; this is not tried again, so that a server that is down is noticed at once.

        Args:
            path: Below the server's address, or a whole address.
            kind: What to expect.

        Raises:
            RequestError: There is no reply.
            IncompleteError: There is another one.
        """
        return self._understood(await self._send("GET", path, retries=0), path, kind)

    async def post(self, path: str, body: dict[str, Any], kind: type[R]) -> R:
        """Send something.

        Raises:
            RequestError: There is no reply, even after retries.
            IncompleteError: There is another one.
        """
        return self._understood(await self._send("POST", path, retries=self._retries, body=body), path, kind)

    async def stream(self, path: str, body: dict[str, Any]) -> AsyncGenerator[Piece, None]:
        """Send something that is replied to piece by piece. It is whole once a piece says why the model ended.

        Raises:
            RequestError: The reply does not begin, even after retries, or breaks off.
            IncompleteError: There is another one.
        """
        from httpx2 import HTTPError

        body = {**body, "stream": True}
        incoming = await self._send("POST", path, retries=self._retries, body=body, piecemeal=True)
        if isinstance(incoming, bytes):
            raise self._strange(path, "not piece by piece")
        done, reason = False, "the connection ended"
        try:
            async with aclosing(incoming.chunks()) as chunks:
                async for data in read_events(chunks):
                    if data == _END:
                        return
                    piece = self._piece(path, data)
                    done = done or piece.last
                    yield piece
        except WireError as error:
            raise self._strange(path, str(error)) from None
        except TimeoutError:
            reason = f"it was not over after {_PIECEMEAL * self._timeout:g} s"
        except HTTPError as error:
            reason = str(error) or type(error).__name__
        finally:
            await incoming.reply.aclose()
        if not done:
            raise self._broken(reason)

    async def close(self) -> None:
        """Close the connections."""
        await self._client.aclose()

    async def _send(
        self, method: str, path: str, *, retries: int, body: dict[str, Any] | None = None, piecemeal: bool = False
    ) -> Any:
        """The reply to a request that was taken: its bytes, or with ``piecemeal`` one that has begun, if it is such.

        Raises:
            RequestError: There is none, even after retries.
        """
        address = path if "://" in path else f"{self.url}{path}"
        request = self._client.build_request(method, address, json=body)
        for tries in range(1, retries + 2):
            try:
                return await self._try(request, path, tries, piecemeal)
            except PassingError as passing:
                failed = passing
            if tries > retries:
                break
            await sleep(failed.wait or wait_before(tries))
        raise failed.error

    async def _try(self, request: Any, path: str, tries: int, piecemeal: bool) -> Any:
        from httpx2 import TransportError

        longest = (_PIECEMEAL if piecemeal else _WHOLE) * self._timeout
        end = asyncio.get_running_loop().time() + longest
        try:
            async with asyncio.timeout_at(end):
                reply = await self._client.send(request, stream=True)
            incoming = Incoming(reply, end)
            kind = reply.headers.get("Content-Type", "").partition(";")[0].strip().lower()
            if piecemeal and reply.is_success and kind == "text/event-stream":
                return incoming
            content = await incoming.whole()
        except TransportError as error:
            raise PassingError(self._lost(error, tries)) from None
        except TimeoutError:
            raise RequestError(
                f"The server at {self.url} was not done with its answer after {longest:g} s; {self._shorter}"
            ) from None
        except WireError as error:
            raise self._strange(path, str(error)) from None
        if not reply.is_success:
            raise self._refused(reply, int(reply.status_code), plain(content) or reply.reason_phrase, tries)
        told = told_error(content)
        if told is not None:
            # Where it has no code of its own, something behind the server failed.
            raise self._refused(reply, told[0] or 502, told[1], tries)
        return content

    def _understood(self, content: bytes, path: str, kind: type[R]) -> R:
        try:
            return kind.model_validate_json(content)
        except ValidationError as error:
            raise self._strange(path, _wrong(error)) from None

    def _piece(self, path: str, data: str) -> Piece:
        piece = parsed(data)
        if isinstance(piece, dict) and piece.get("error"):
            raise self._broken(message(piece) or data)
        try:
            return Piece.model_validate(piece)
        except ValidationError:
            raise self._strange(path, "pieces of another kind") from None

    def _strange(self, path: str, reason: str) -> IncompleteError:
        return IncompleteError(
            f"The server at {self.url} does not reply to {path} as the OpenAI interface says ({reason})"
        )

    def _broken(self, reason: str) -> RequestError:
        said = short(reason, self._key)
        return RequestError(f"The server at {self.url} broke off in the middle of its answer ({said})")

    def _lost(self, error: Exception, tries: int) -> RequestError:
        from httpx2 import ConnectTimeout, TimeoutException

        if isinstance(error, ConnectTimeout):
            reason = f"no connection within {self._timeout:g} s"
        elif isinstance(error, TimeoutException):
            return RequestError(
                f"The server at {self.url} did not answer within {self._timeout:g} s{_asked(tries)}; {self._shorter}"
            )
        else:
            reason = short(str(error), self._key) or "the connection was lost"
        return RequestError(f"The server at {self.url} cannot be reached ({reason}){_asked(tries)}", hopeless=True)

    def _refused(self, reply: Any, status: int, words: str, tries: int) -> RequestError:
        """What to raise for a reply that is an error.

        Raises:
            PassingError: It may be taken later.
        """
        said = short(words, self._key)
        wanted = wanted_wait(reply.headers.get("Retry-After"))
        if status == 401 and self._key is None:
            text = f"The server at {self.url} wants a key (401); set the environment variable HPVQA_API_KEY"
        elif status in {401, 403}:
            text = f"The server at {self.url} does not accept the key ({status}: {said}); set HPVQA_API_KEY"
        elif status == 413:
            text = f"The server takes no request so large ({status}: {said}); lower --fps, --frames or --resolution"
        elif status == 429:
            text = f"The server takes no more requests (429: {said}){_asked(tries)}; lower --concurrency"
        elif status >= 500 or status in {408, 409}:
            text = f"The server failed ({status}: {said}){_asked(tries)}; its log may say more"
        elif "Location" in reply.headers and 300 <= status < 400:
            there = short(reply.headers["Location"], self._key)
            text = f"The server at {self.url} has moved to {there} ({status}); give --server its new address"
        else:
            text = f"The server refuses the request ({status}: {said})"
        error = RequestError(text, status, hopeless=status in {401, 403}, said=said)
        if may_pass(status) and (wanted is None or wanted <= PATIENCE):
            raise PassingError(error, wanted)
        return error


def _asked(tries: int) -> str:
    return f", asked {tries} times" if tries > 1 else ""


def _wrong(error: ValidationError) -> str:
    """Which fields of a reply are wrong, and what of them is not to be guessed from the interface."""
    details = error.errors(include_input=False, include_url=False)[:3]
    if details[0]["type"] == "json_invalid":
        return "no JSON"
    found = []
    for detail in details:
        why = detail["msg"].removeprefix("Value error, ") if detail["type"] == "value_error" else ""
        found.append(": ".join(filter(None, (".".join(map(str, detail["loc"])), why))))
    return ", ".join(filter(None, found)) or "no object"


def may_pass(status: int) -> bool:
    """Whether a request that was refused with this status code may be taken later."""
    return status in {408, 409, 429} or status >= 500


def wait_before(retry: int) -> float:
    """How long to wait before a retry where the server does not say [s].

    Args:
        retry: Its number, from 1 on.
    """
    return min(_FIRST_WAIT * 2.0 ** (retry - 1), _LONGEST_WAIT) * (1 - _CHANCE * random.random())  # noqa: S311 - no secret


def wanted_wait(retry_after: str | None) -> float | None:
    """How long a server wants to be left alone [s], by its header ``Retry-After``; None where that does not say.

    Args:
        retry_after: Seconds, or a date.
    """
    if retry_after is None:
        return None
    if re.fullmatch(r"\s*-?\d{1,9}(\.\d*)?\s*", retry_after):
        return max(float(retry_after), 0.0)
    try:
        return max(parsedate_to_datetime(retry_after).timestamp() - time.time(), 0.0)
    except (TypeError, ValueError, OverflowError):
        return None


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
